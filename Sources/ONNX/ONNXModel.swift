import ByteIO

/// An ONNX model (onnx.proto, IR version 3 and on) as far as its weights need it: the initializers and constants of the
/// main graph, and its nodes. Graphs within nodes, functions and sparse initializers are passed over.
public struct ONNXModel: Sendable {
  /// The model's own file, then those that hold its external data.
  public private(set) var files: [(name: String, file: InputFile)]
  public private(set) var tensors: [ONNXTensor] = []
  public private(set) var nodes: [ONNXNode] = []
  /// What the model says of itself: key and value.
  public private(set) var facts: [(key: String, value: String)] = []
  private let directory: String
  private var positions: [String: Int] = [:]
  private var hasGraph = false

  /// Reads a model; of its tensors no more than where they lie. Throws `ONNXError` or `IOError`.
  public init(_ path: String) throws {
    let file = try InputFile(path)
    directory = Path.directory(of: path)
    files = [(Path.name(of: path), file)]
    var reader = ModelReader(file)
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, .varint(let version)): facts.append(("ir_version", "\(version)"))
      case (2, .bytes(let range)): facts.append(("producer_name", try reader.text(range)))
      case (3, .bytes(let range)): facts.append(("producer_version", try reader.text(range)))
      case (7, .bytes(let range)): try readGraph(reader.message(range))
      default: break
      }
      guard facts.count <= 64 else { throw reader.fault(.limit("facts", 64)) }
    }
    guard hasGraph else { throw reader.fault(.noGraph) }
  }

  /// The tensor of that name.
  public subscript(name: String) -> ONNXTensor? { positions[name].map { tensors[$0] } }

  /// The bytes of a tensor, at most 64 MiB, in the form of `ONNXTensor.Content.stored`. Throws `ONNXError` or `IOError`.
  public func bytes(of tensor: ONNXTensor) throws -> [UInt8] {
    func fault(_ reason: ONNXReason) -> ONNXError { Fault(reason, file: files[0].file.path, tensor: tensor.name) }
    guard tensor.byteCount <= ONNXLimits.numbers else { throw fault(.limit("bytes", ONNXLimits.numbers)) }
    switch tensor.content {
    case .stored(let file, let range): return try files[file].file.bytes(range)
    case .numbers(let runs):
      let width = max(tensor.type.bits / 8, 1)
      var (bytes, reader) = ([UInt8](), ModelReader(files[0].file))
      for run in runs {
        var packed = reader.message(run)
        while !packed.isAtEnd, bytes.count < tensor.byteCount {
          let value = try packed.varint()
          for index in 0..<width { bytes.append(index < 8 ? UInt8(truncatingIfNeeded: value >> UInt64(8 * index)) : 0) }
        }
        reader = packed
      }
      guard bytes.count == tensor.byteCount else {
        throw fault(.size(expected: tensor.byteCount, found: bytes.count))
      }
      return bytes
    }
  }

  private mutating func readGraph(_ message: ModelReader) throws {
    hasGraph = true
    var reader = message
    while let field = try reader.next() {
      guard case .bytes(let range) = field.value else { continue }
      if field.number == 1 { try readNode(reader.message(range)) }
      if field.number == 5 { try add(TensorMessage(reader.message(range)), reader) }
    }
  }

  private mutating func add(_ message: TensorMessage, named name: String? = nil, _ reader: ModelReader) throws {
    guard let tensor = try message.tensor(named: name, reader, files: { try file($0) }) else { return }
    guard tensors.count < ONNXLimits.tensors else { throw reader.fault(.limit("tensors", ONNXLimits.tensors)) }
    guard positions.updateValue(tensors.count, forKey: tensor.name) == nil else {
      throw reader.fault(.duplicate, tensor.name)
    }
    tensors.append(tensor)
  }

  /// The number and size of a file beside the model, which is opened once.
  private mutating func file(_ name: String) throws -> (index: Int, size: Int) {
    if let index = files.indices.dropFirst().first(where: { files[$0].name == name }) {
      return (index, files[index].file.size)
    }
    let file = try InputFile(Path.join(directory, name))
    files.append((name, file))
    return (files.count - 1, file.size)
  }

  private mutating func readNode(_ message: ModelReader) throws {
    guard nodes.count < ONNXLimits.nodes else { throw message.fault(.limit("nodes", ONNXLimits.nodes)) }
    var node = ONNXNode(type: "", domain: "", inputs: [], outputs: [], integers: [:])
    var (reader, value) = (message, TensorMessage?.none)
    while let field = try reader.next() {
      guard case .bytes(let range) = field.value else { continue }
      switch field.number {
      case 1: node.inputs.append(try reader.text(range))
      case 2: node.outputs.append(try reader.text(range))
      case 4: node.type = try reader.text(range)
      case 5: value = try readAttribute(reader.message(range), of: &node) ?? value
      case 7: node.domain = try reader.text(range)
      default: break
      }
    }
    if node.domain == "ai.onnx" { node.domain = "" }
    if node.type == "Constant", node.domain.isEmpty, let value, let name = node.outputs.first {
      return try add(value, named: name, reader)
    }
    nodes.append(node)
  }

  /// Notes an attribute that is an integer; returns one that is a tensor and called `value`.
  private func readAttribute(_ message: ModelReader, of node: inout ONNXNode) throws -> TensorMessage? {
    var (reader, name, integer, tensor) = (message, "", Int?.none, Range<Int>?.none)
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, .bytes(let range)): name = try reader.text(range)
      case (3, .varint(let value)): integer = Int(Int64(bitPattern: value))
      case (5, .bytes(let range)): tensor = range
      default: break
      }
    }
    if let integer { node.integers[name] = integer }
    guard name == "value", let tensor else { return nil }
    return try TensorMessage(reader.message(tensor))
  }
}
