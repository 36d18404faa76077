import Codecs
import Tensors

/// Carries out a map on whole tensors in memory: what a streaming converter is tested against.
public struct MapReference {
  /// A tensor's bytes and what they are: a plain type, or nil for ggml MXFP4 blocks.
  public struct Input: Sendable {
    public var bytes: [UInt8]
    public var dtype: DType?

    public init(bytes: [UInt8], dtype: DType?) {
      self.bytes = bytes
      self.dtype = dtype
    }
  }

  private let input: (Int) throws -> Input

  /// - Parameter input: gives a tensor by its index in the list that the map was made from.
  public init(input: @escaping (Int) throws -> Input) { self.input = input }

  /// The bytes of a tensor of a GGUF file.
  public func bytes(of tensor: GGUFMappedTensor) throws -> [UInt8] {
    try bytes(tensor, as: tensor.type.plainDType)
  }

  /// The bytes of a Hugging Face tensor.
  public func bytes(of tensor: HuggingFaceMappedTensor) throws -> [UInt8] { try bytes(tensor, as: tensor.type) }

  private func bytes<Element>(_ tensor: MappedTensor<Element>, as dtype: DType?) throws -> [UInt8] {
    switch tensor.content {
    case .concatenated:
      let parts = try tensor.inputs.map { try converted($0, to: dtype, tensor) }
      return Array(parts.joined())
    case .interleaved(let runs):
      let parts = try tensor.inputs.map { try converted($0, to: dtype, tensor) }
      return Self.interleave(parts, runs: runs.map { $0 * (dtype?.bits ?? 8) / 8 })
    case .mxfp4Blocks: return try blocks(tensor)
    case .mxfp4Codes: return try split(tensor, bytes: MXFP4Repack.codeBytes, MXFP4Repack.codes)
    case .mxfp4Scales: return try split(tensor, bytes: 1, MXFP4Repack.scales)
    case .constant(let values): return values.withUnsafeBytes { Array($0) }
    }
  }

  /// The elements that an input selects, in the output's type.
  private func converted<Element>(
    _ selection: MappedInput, to dtype: DType?, _ tensor: MappedTensor<Element>
  ) throws -> [UInt8] {
    let source = try input(selection.tensor)
    guard let from = source.dtype, let dtype else { throw ArchitectureError.unknownTensor(tensor.name) }
    let selected = try Self.select(selection, source.bytes, elementBytes: from.bits / 8, tensor.name)
    guard tensor.addend != 0 else { return try Self.convert(selected, from, dtype) }
    var values = [Float](repeating: 0, count: selected.count / (from.bits / 8))
    try values.withUnsafeMutableBufferPointer { values in
      try selected.withUnsafeBytes { try Elements.decode(from, $0, into: values) }
      for index in values.indices { values[index] += tensor.addend }
    }
    return try Self.convert(values.withUnsafeBytes { Array($0) }, .f32, dtype)
  }

  private static func select(
    _ selection: MappedInput, _ bytes: [UInt8], elementBytes: Int, _ name: String
  ) throws -> [UInt8] {
    let rowBytes = selection.rowElements * elementBytes
    let rows = rowBytes == 0 ? 0 : bytes.count / rowBytes
    guard let count = selection.rows.count(of: rows) else { throw ArchitectureError.missingTensor(name) }
    var selected: [UInt8] = []
    selected.reserveCapacity(count * rowBytes)
    var row = 0
    while row < count {
      let start = selection.rows.sourceRow(forOutputRow: row, of: rows) * rowBytes
      let run = selection.rows.run(fromOutputRow: row, limit: count - row)
      selected += bytes[start..<start + run * rowBytes]
      row += run
    }
    guard let matrix = selection.transposed else { return selected }
    return transpose(selected, matrix, elementBytes)
  }

  private static func transpose(_ bytes: [UInt8], _ matrix: MatrixShape, _ elementBytes: Int) -> [UInt8] {
    let size = matrix.rows * matrix.columns * elementBytes
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    for start in stride(from: 0, to: size == 0 ? 0 : bytes.count, by: max(size, 1)) {
      for column in 0..<matrix.columns {
        for row in 0..<matrix.rows {
          let element = start + (row * matrix.columns + column) * elementBytes
          result += bytes[element..<element + elementBytes]
        }
      }
    }
    return result
  }

  private static func convert(_ bytes: [UInt8], _ from: DType, _ to: DType) throws -> [UInt8] {
    let count = bytes.count / (from.bits / 8)
    var result = [UInt8](repeating: 0, count: count * to.bits / 8)
    try result.withUnsafeMutableBytes { result in
      try bytes.withUnsafeBytes {
        try Elements.convert(from: from, to: to, source: $0, destination: result, count: count)
      }
    }
    return result
  }

  /// Runs of bytes, taken from each part in turn until the first is used up.
  private static func interleave(_ parts: [[UInt8]], runs: [Int]) -> [UInt8] {
    var result: [UInt8] = []
    guard let first = parts.first, let run = runs.first, run > 0 else { return result }
    for turn in 0..<first.count / run {
      for (part, run) in zip(parts, runs) { result += part.dropFirst(turn * run).prefix(run) }
    }
    return result
  }

  private func blocks<Element>(_ tensor: MappedTensor<Element>) throws -> [UInt8] {
    let parts = try tensor.inputs.map {
      try Self.select($0, try input($0.tensor).bytes, elementBytes: 1, tensor.name)
    }
    guard parts.count == 2 else { throw ArchitectureError.unknownTensor(tensor.name) }
    var result = [UInt8](repeating: 0, count: parts[1].count * GGMLType.mxfp4.blockBytes)
    let fits = result.withUnsafeMutableBytes { result in
      parts[0].withUnsafeBytes { codes in
        parts[1].withUnsafeBytes { MXFP4Repack.blocks(codes: codes, scales: $0, into: result) }
      }
    }
    guard fits else { throw ArchitectureError.unknownTensor(tensor.name) }
    return result
  }

  /// One part of ggml blocks whose rows alternate between the inputs.
  private func split<Element>(
    _ tensor: MappedTensor<Element>, bytes partBytes: Int,
    _ extract: (UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer) -> Bool
  ) throws -> [UInt8] {
    let parts = try tensor.inputs.map { selection in
      let blocks = try input(selection.tensor).bytes
      var part = [UInt8](repeating: 0, count: blocks.count / GGMLType.mxfp4.blockBytes * partBytes)
      let fits = part.withUnsafeMutableBytes { part in blocks.withUnsafeBytes { extract($0, part) } }
      guard fits else { throw ArchitectureError.unknownTensor(tensor.name) }
      return part
    }
    let run = (tensor.inputs.first?.rowElements ?? 0) / GGMLType.mxfp4.blockElements * partBytes
    return Self.interleave(parts, runs: parts.map { _ in run })
  }
}
