import Codecs
import Tensors

/// The ways that go through values, in tiles that stay in the second-level cache.
extension Transcoder {
  /// Between plain dtypes, with one rounding.
  func convert(
    _ input: EncodedSpan, from: DType, to: DType, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> ErrorStatistics {
    try Elements.convert(
      from: from, to: to, source: input.planes[0], destination: planes[0], count: input.elements)
    if Elements.isExact(from: from, to: to) { return ErrorStatistics() }
    let tiles = Tiles([source, target], elements: input.elements, columns: input.columns)
    defer { withExtendedLifetime(tiles) {} }
    var cost = ErrorStatistics()
    for tile in tiles.ranges {
      try source.decode(tiles.part(tile, of: input, source), into: tiles.original)
      try target.decode(tiles.part(tile, of: tiles.reading(planes, input), target), into: tiles.decoded)
      cost.add(original: tiles.values(tiles.original, tile), decoded: tiles.values(tiles.decoded, tile))
    }
    return cost
  }

  /// Decodes, encodes, and decodes again to see what it cost.
  func requantize(
    _ input: EncodedSpan, at start: Int, with codec: any QuantizingCodec, rule: ScaleRule?,
    statistics: [TensorStatistic], into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> ErrorStatistics {
    let tiles = Tiles(
      [source, target], elements: input.elements, columns: input.columns, wholeRows: importance != nil)
    defer { withExtendedLifetime(tiles) {} }
    var cost = ErrorStatistics()
    let rule = rule ?? codec.defaultRule
    for tile in tiles.ranges {
      try source.decode(tiles.part(tile, of: input, source), into: tiles.original)
      let values = tiles.values(tiles.original, tile)
      let output = tiles.part(tile, of: planes, columns: input.columns, codec)
      if let codec = codec as? any TensorStatisticCodec, !statistics.isEmpty {
        try codec.encode(values, columns: input.columns, rule: rule, statistics: statistics, into: output)
      } else if let importance, let codec = codec as? GGMLCodec {
        try encode(values, at: start + tile.lowerBound, codec, rule, importance, into: output[0])
      } else {
        try codec.encode(values, columns: input.columns, rule: rule, into: output)
      }
      let encoded = EncodedSpan(
        planes: output.map { UnsafeRawBufferPointer($0) }, elements: tile.count, columns: input.columns)
      try target.decode(encoded, into: tiles.decoded)
      cost.add(original: values, decoded: tiles.values(tiles.decoded, tile))
    }
    return cost
  }
}

extension Transcoder {
  /// Encodes whole rows, those of each stacked matrix by the importance of its own columns.
  private func encode(
    _ values: UnsafeBufferPointer<Float>, at start: Int, _ codec: GGMLCodec, _ rule: ScaleRule,
    _ importance: TensorImportance, into plane: UnsafeMutableRawBufferPointer
  ) throws {
    let columns = importance.columns
    let first = start / columns
    for (rows, weights) in try importance.runs(of: first..<first + values.count / columns) {
      let elements = (rows.lowerBound - first) * columns..<(rows.upperBound - first) * columns
      let from = codec.bytes(plane: 0, elements: elements.lowerBound, columns: columns)
      let count = codec.bytes(plane: 0, elements: elements.count, columns: columns)
      try codec.encode(
        UnsafeBufferPointer(rebasing: values[elements]), columns: columns, rule: rule, importance: weights,
        into: [UnsafeMutableRawBufferPointer(rebasing: plane[from..<from + count])])
    }
  }

  /// Encodes a whole span whose planes take as many bytes as they come to, and decodes it to see what it cost.
  func encode(_ input: EncodedBytes, with codec: any VariableCodec) throws -> (EncodedBytes, ErrorStatistics) {
    let values = try input.values(source)
    let planes = try values.withFloats { try codec.encode($0, columns: input.columns, rule: rule ?? .search) }
    let output = EncodedBytes(planes, elements: input.elements, columns: input.columns)
    var cost = ErrorStatistics()
    let decoded = try output.values(codec)
    values.withFloats { values in decoded.withFloats { cost.add(original: values, decoded: $0) } }
    return (output, cost)
  }
}

/// A span cut in tiles, with room for the values of one.
final class Tiles {
  let ranges: [Range<Int>]
  let original: UnsafeMutableBufferPointer<Float>
  let decoded: UnsafeMutableBufferPointer<Float>

  init(_ codecs: [any Codec], elements: Int, columns: Int, wholeRows: Bool = false) {
    let size = max(1, min(SpanRule.tile(codecs, columns: columns, wholeRows: wholeRows), elements))
    ranges = stride(from: 0, to: elements, by: size).map { $0..<min($0 + size, elements) }
    original = .allocate(capacity: size)
    decoded = .allocate(capacity: size)
  }

  deinit {
    original.deallocate()
    decoded.deallocate()
  }

  func values(_ buffer: UnsafeMutableBufferPointer<Float>, _ tile: Range<Int>) -> UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(rebasing: buffer[..<tile.count])
  }

  func reading(_ planes: [UnsafeMutableRawBufferPointer], _ input: EncodedSpan) -> EncodedSpan {
    EncodedSpan(
      planes: planes.map { UnsafeRawBufferPointer($0) }, elements: input.elements, columns: input.columns)
  }

  /// The bytes of a tile within a span.
  func part(_ tile: Range<Int>, of span: EncodedSpan, _ codec: any Codec) -> EncodedSpan {
    let planes = span.planes.enumerated().map { plane, bytes in
      UnsafeRawBufferPointer(rebasing: bytes[range(tile, codec, plane: plane, columns: span.columns, of: bytes.count)])
    }
    return EncodedSpan(planes: planes, elements: tile.count, columns: span.columns)
  }

  func part(
    _ tile: Range<Int>, of planes: [UnsafeMutableRawBufferPointer], columns: Int, _ codec: any Codec
  ) -> [UnsafeMutableRawBufferPointer] {
    planes.enumerated().map { plane, bytes in
      UnsafeMutableRawBufferPointer(
        rebasing: bytes[range(tile, codec, plane: plane, columns: columns, of: bytes.count)])
    }
  }

  private func range(_ tile: Range<Int>, _ codec: any Codec, plane: Int, columns: Int, of count: Int) -> Range<Int> {
    guard codec.planes[plane].extent == .perSpan else { return 0..<count }
    let start = codec.bytes(plane: plane, elements: tile.lowerBound, columns: columns)
    return start..<start + codec.bytes(plane: plane, elements: tile.count, columns: columns)
  }
}
