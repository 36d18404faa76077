import ByteIO
import Protobuf

/// `TensorProto` as it stands in the file.
struct TensorMessage {
  private var name = ""
  private var type = 0
  private var dimensions: [Int] = []
  private var raw: Range<Int>?
  private var floats: [Range<Int>] = []
  private var numbers: [Range<Int>] = []
  private var isExternal = false
  private var external: [String: String] = [:]

  /// Reads the message. Throws `ONNXError` or `IOError`.
  init(_ reader: ModelReader) throws {
    var reader = reader
    while let field = try reader.next() { try take(field, &reader) }
  }

  private mutating func take(_ field: ProtobufField, _ reader: inout ModelReader) throws {
    switch (field.number, field.value) {
    case (1, .varint(let value)): try append(value, reader)
    case (1, .bytes(let range)):
      var packed = reader.message(range)
      while !packed.isAtEnd { try append(try packed.varint(), reader) }
    case (2, .varint(let value)): type = Int(truncatingIfNeeded: value)
    case (4, .bytes(let range)), (10, .bytes(let range)): try append(range, to: &floats, reader)
    case (5, .bytes(let range)), (7, .bytes(let range)), (11, .bytes(let range)):
      try append(range, to: &numbers, reader)
    case (8, .bytes(let range)): name = try reader.text(range)
    case (9, .bytes(let range)): raw = range
    case (13, .bytes(let range)): try takeExternal(reader.message(range))
    case (14, .varint(let value)): isExternal = value == 1
    // Numbers that aren't packed, as no known writer stores them.
    case (4, _), (5, _), (7, _), (10, _), (11, _):
      throw reader.fault(.value("its numbers stand one by one"), name)
    default: break
    }
  }

  private mutating func append(_ dimension: UInt64, _ reader: ModelReader) throws {
    guard dimensions.count < ONNXLimits.dimensions else {
      throw reader.fault(.limit("dimensions", ONNXLimits.dimensions), name)
    }
    guard let dimension = Int(exactly: dimension) else { throw reader.fault(.value("a dimension is negative"), name) }
    dimensions.append(dimension)
  }

  private func append(_ range: Range<Int>, to runs: inout [Range<Int>], _ reader: ModelReader) throws {
    guard runs.count < 16 else { throw reader.fault(.limit("runs of numbers", 16), name) }
    if !range.isEmpty { runs.append(range) }
  }

  private mutating func takeExternal(_ message: ModelReader) throws {
    var (reader, key, value) = (message, "", "")
    while let field = try reader.next() {
      guard case .bytes(let range) = field.value else { continue }
      if field.number == 1 { key = try reader.text(range) }
      if field.number == 2 { value = try reader.text(range) }
    }
    if ["location", "offset", "length"].contains(key) { external[key] = value }
  }

  /// The tensor; nil for one of strings, or of no type.
  /// - Parameters:
  ///   - outputName: the name of a constant, which its node gives it.
  ///   - files: gives the number and the size of a file that lies beside the model.
  func tensor(
    named outputName: String? = nil, _ reader: ModelReader, files: (String) throws -> (index: Int, size: Int)
  ) throws -> ONNXTensor? {
    let name = outputName ?? name
    guard type != 8, type != 0 else { return nil }
    guard let type = ONNXType(rawValue: type) else { throw reader.fault(.value("there is no type \(type)"), name) }
    let elements = dimensions.reduce(Optional(1)) { $0?.multiplied(by: $1) }
    guard let elements, elements <= Int.max / 256 else { throw reader.fault(.value("its shape overflows"), name) }
    var tensor = ONNXTensor(
      name: name, type: type, dimensions: dimensions, elements: elements, content: .numbers(numbers))
    if isExternal {
      tensor.content = try externalContent(name, count: tensor.byteCount, reader, files)
    } else if let range = raw ?? floats.first {
      guard floats.count <= 1 else { throw reader.fault(.value("its numbers lie in pieces"), name) }
      tensor.content = .stored(file: 0, range)
    }
    if case .stored(_, let range) = tensor.content, range.count != tensor.byteCount {
      throw reader.fault(.size(expected: tensor.byteCount, found: range.count), name)
    }
    return tensor
  }

  /// Where the bytes lie beside the model.
  private func externalContent(
    _ name: String, count: Int, _ reader: ModelReader, _ files: (String) throws -> (index: Int, size: Int)
  ) throws -> ONNXTensor.Content {
    guard let location = external["location"], Self.isInside(location) else {
      throw reader.fault(.external("'\(external["location"] ?? "")' is no path within the directory"), name)
    }
    let file: (index: Int, size: Int)
    do { file = try files(location) } catch let error as IOError {
      throw reader.fault(.external("\(error)"), name)
    }
    let start = Int(external["offset"] ?? "0")
    let length = external["length"].map { Int($0) } ?? count
    guard let start, let length, start >= 0, length >= 0, let end = start.adding(length), end <= file.size else {
      throw reader.fault(.external("its range lies beyond '\(location)', which has \(file.size) bytes"), name)
    }
    return .stored(file: file.index, start..<end)
  }

  /// True for a relative path that doesn't lead out.
  private static func isInside(_ path: String) -> Bool {
    !path.isEmpty && !path.hasPrefix("/") && !path.utf8.contains(0)
      && !path.split(separator: "/").contains("..")
  }
}
