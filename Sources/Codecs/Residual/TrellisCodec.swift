import Tensors

/// Entropy-coded trellis quantization: `trellis` (specs/codecs/trellis.md). A column has one step; the codes of a
/// column walk an eight-state trellis down the rows, whose state picks one of two interleaved quantizers
/// (Schwarz et al., "Hybrid video coding with trellis-coded quantization", DCC 2019); codes are coded by rANS
/// (Duda, arXiv:1311.2540) under frequencies that depend on the step of the column and on the quantizer.
///
/// At 1 to 3 bits a weight it comes within about 0.1 bit of the rate-distortion bound of a Gaussian, which no code of
/// fixed width does. It has no encoder of spans: step and frequencies are of the whole tensor. `TrellisEncoder` writes it.
public struct TrellisCodec: Codec, Hashable {
  public init() {}

  public var descriptor: CodecDescriptor { CodecDescriptor("trellis") }

  public var planes: [Plane] { [Plane(.codes, .variable), Plane(.table, .whole)] }

  /// Elements that a unit has at least: a unit is the fewest rows that reach it, decodes alone, and starts the
  /// trellis and the entropy coder afresh.
  static let unitElements = 1 << 18

  /// Rows of a unit.
  static func unitRows(columns: Int) -> Int { max(1, unitElements.dividedRoundingUp(by: max(columns, 1))) }

  public func alignment(columns: Int) -> Int { max(1, Self.unitRows(columns: columns) * columns) }

  public func check(_ shape: Shape) throws(CodecError) {
    try checkCountable(shape)
    guard shape.columns <= Self.unitElements * 16 else {
      throw .shape(codec: "trellis", shape: shape.dimensions, reason: "its rows are too long")
    }
  }

  /// A code takes at most 12 bits and the excess of an escape 12 more; each unit has its size and eight states.
  public func bytes(plane: Int, elements: Int, columns: Int) -> Int {
    if plane == 1 { return TrellisTable.bytes(columns: columns) }
    return elements * 3 + elements.dividedRoundingUp(by: alignment(columns: columns)) * TrellisUnit.overhead
  }

  public func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    try eachUnit(input, into: output) { (unit, table, rows, out) throws(CodecError) in
      try unit.decode(table, rows: rows, columns: input.columns, into: out)
    }
  }

  public func decodeReference(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    try eachUnit(input, into: output) { (unit, table, rows, out) throws(CodecError) in
      try unit.decodeReference(table, rows: rows, columns: input.columns, into: out)
    }
  }

  /// Where the units of a plane of codes lie, in order. Throws `CodecError` where they don't fill it.
  public static func units(of plane: [UInt8]) throws(CodecError) -> [Range<Int>] {
    var units: [Range<Int>] = []
    var offset = 0
    while offset < plane.count {
      var found = Result<Int, CodecError>.success(offset)
      plane.withUnsafeBytes { bytes in
        found = Result { () throws(CodecError) in try TrellisUnit(bytes, offset: offset).end }
      }
      let end = try found.get()
      units.append(offset..<end)
      offset = end
    }
    return units
  }

  private func eachUnit(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>,
    _ body: (TrellisUnit, TrellisTable, Int, UnsafeMutableBufferPointer<Float>) throws(CodecError) -> Void
  ) throws(CodecError) {
    try checkPlanes(input, room: output.count)
    let columns = input.columns
    guard columns > 0, input.elements > 0 else { return }
    guard input.elements % columns == 0 else {
      throw .shape(codec: "trellis", shape: [input.elements, columns], reason: "a span should be whole rows")
    }
    let table = try TrellisTable(parsing: input.planes[1], columns: columns)
    let unit = alignment(columns: columns)
    var offset = 0
    for start in stride(from: 0, to: input.elements, by: unit) {
      let count = min(unit, input.elements - start)
      let bytes = try TrellisUnit(input.planes[0], offset: offset)
      let target = UnsafeMutableBufferPointer(rebasing: output[start..<start + count])
      try body(bytes, table, count / columns, target)
      offset = bytes.end
    }
    guard offset == input.planes[0].count else {
      throw .planeSize(codec: "trellis", plane: .codes, expected: offset, found: input.planes[0].count)
    }
  }
}
