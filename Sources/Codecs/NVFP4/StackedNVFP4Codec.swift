import ByteIO
import Tensors

/// NVFP4 of a stack of matrices, each with a factor of its own: experts that are stored as one tensor. Read only.
/// `nvfp4stack:rows=2880,global=multiply,zero=unsigned` (specs/codecs/nvfp4.md).
public struct StackedNVFP4Codec: Codec, Hashable {
  /// The encoding of one matrix.
  public let matrix: NVFP4Codec
  /// Rows of a matrix.
  public let rows: Int

  /// Throws `CodecError.descriptor` unless a matrix has 1 to 2^40 rows, and a factor.
  public init(_ matrix: NVFP4Codec, rows: Int) throws(CodecError) {
    self.matrix = matrix
    self.rows = rows
    guard (1...1 << 40).contains(rows), matrix.global != .none else {
      throw .descriptor("\(descriptor)", reason: "a matrix has 1 to 2^40 rows, and a factor")
    }
  }

  init(_ reader: inout DescriptorReader) throws(CodecError) {
    let rows = try reader.integer("rows", default: 1, in: 1...1 << 40)
    try self.init(try NVFP4Codec(&reader), rows: rows)
  }

  public var descriptor: CodecDescriptor {
    CodecDescriptor(
      "nvfp4stack", ["rows": "\(rows)", "global": matrix.global.rawValue, "zero": matrix.zero.rawValue])
  }

  public var planes: [Plane] { [Plane(.codes), Plane(.scales), Plane(.secondLevel)] }

  // No tensor has more elements than the bound.
  public func alignment(columns: Int) -> Int { min(rows.multiplied(by: max(columns, 1)) ?? .max, 1 << 58) }

  public func check(_ shape: Shape) throws(CodecError) {
    try matrix.check(shape)
    guard shape.rows % rows == 0 else {
      throw .shape(codec: "\(descriptor)", shape: shape.dimensions, reason: "it should be matrices of \(rows) rows")
    }
  }

  public func bytes(plane: Int, elements: Int, columns: Int) -> Int {
    if plane < 2 { return matrix.bytes(plane: plane, elements: elements, columns: columns) }
    return columns == 0 ? 0 : (elements / columns).dividedRoundingUp(by: rows) * 4
  }

  public func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    try eachMatrix(input, room: output.count) { (span, elements) throws(CodecError) in
      try matrix.decode(span, into: UnsafeMutableBufferPointer(rebasing: output[elements]))
    }
  }

  public func decodeBF16(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<UInt16>) throws(CodecError) {
    try eachMatrix(input, room: output.count) { (span, elements) throws(CodecError) in
      try matrix.decodeBF16(span, into: UnsafeMutableBufferPointer(rebasing: output[elements]))
    }
  }

  public func decodeReference(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    try eachMatrix(input, room: output.count) { (span, elements) throws(CodecError) in
      try matrix.decodeReference(span, into: UnsafeMutableBufferPointer(rebasing: output[elements]))
    }
  }

  private func eachMatrix(
    _ input: EncodedSpan, room: Int, _ body: (EncodedSpan, Range<Int>) throws(CodecError) -> Void
  ) throws(CodecError) {
    try checkPlanes(input, room: room)
    guard input.elements > 0 else { return }
    let step = min(alignment(columns: input.columns), input.elements)
    for (index, start) in stride(from: 0, to: input.elements, by: step).enumerated() {
      let elements = start..<min(start + step, input.elements)
      let planes = input.planes.indices.map { plane in
        let size = bytes(plane: plane, elements: step, columns: input.columns)
        let own = bytes(plane: plane, elements: elements.count, columns: input.columns)
        return UnsafeRawBufferPointer(rebasing: input.planes[plane][index * size..<index * size + own])
      }
      try body(EncodedSpan(planes: planes, elements: elements.count, columns: input.columns), elements)
    }
  }
}
