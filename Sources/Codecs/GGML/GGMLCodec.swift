import ByteIO
import Tensors

/// The block types of ggml, bit for bit: `ggml:type=Q4_0` (specs/codecs/ggml.md). One plane holds the blocks as a GGUF
/// file does, scales and codes interleaved.
public struct GGMLCodec: Codec, Hashable {
  public let type: GGMLType

  /// Throws `CodecError.descriptor` for a plain type, whose codec is `plain`.
  public init(_ type: GGMLType) throws(CodecError) {
    guard type.plainDType == nil else {
      throw .descriptor("ggml:type=\(type.name)", reason: "it is a plain type, not one of blocks")
    }
    self.type = type
  }

  init(_ reader: inout DescriptorReader) throws(CodecError) {
    guard let name = reader.text("type") else {
      throw .descriptor("ggml", reason: "it needs a type, such as type=Q4_K")
    }
    guard let type = GGMLType(name: name) else {
      throw .descriptor("ggml:type=\(name)", reason: "ggml has no type '\(name)'")
    }
    try self.init(type)
  }

  public var descriptor: CodecDescriptor { CodecDescriptor("ggml", ["type": type.name]) }

  public var planes: [Plane] { [Plane(.codes)] }

  public func alignment(columns: Int) -> Int { type.blockElements }

  /// A row is a whole number of blocks.
  public func check(_ shape: Shape) throws(CodecError) {
    try checkCountable(shape)
    guard shape.columns % type.blockElements == 0 else {
      throw .shape(
        codec: "\(descriptor)", shape: shape.dimensions,
        reason: "a row of \(shape.columns) is not a whole number of blocks of \(type.blockElements)")
    }
  }

  public func bytes(plane: Int, elements: Int, columns: Int) -> Int { type.bytes(elements: elements) ?? 0 }

  public func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    try checkSpan(input, room: output.count)
    let blocks = input.elements / type.blockElements
    let bytes = input.planes[0].assumingMemoryBound(to: UInt8.self)
    let done = type.blocksDecoder?(bytes.baseAddress, blocks, output.baseAddress) ?? 0
    decodeBlocks(done..<blocks, input.planes[0], output)
  }

  public func decodeReference(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    try checkSpan(input, room: output.count)
    decodeBlocks(0..<input.elements / type.blockElements, input.planes[0], output)
  }

  private func decodeBlocks(
    _ blocks: Range<Int>, _ plane: UnsafeRawBufferPointer, _ output: UnsafeMutableBufferPointer<Float>
  ) {
    guard let decoder = type.decoder else { return }
    for block in blocks {
      decoder(
        UnsafeRawBufferPointer(rebasing: plane[range(block, type.blockBytes)]),
        UnsafeMutableBufferPointer(rebasing: output[range(block, type.blockElements)]))
    }
  }

  func range(_ block: Int, _ size: Int) -> Range<Int> { block * size..<(block + 1) * size }

  /// Throws unless the span is whole blocks of the right size, without a NaN scale where a type has one.
  private func checkSpan(_ input: EncodedSpan, room: Int) throws(CodecError) {
    try checkBlocks(input.elements, columns: input.columns)
    try checkPlanes(input, room: room)
    guard type == .mxfp4 else { return }
    for offset in stride(from: 0, to: input.planes[0].count, by: type.blockBytes)
    where input.planes[0][offset] == FloatQuants.nanScale {
      throw .value(codec: "\(descriptor)", plane: .codes, offset: offset, reason: "the scale 0xFF is NaN")
    }
  }

  func checkBlocks(_ elements: Int, columns: Int) throws(CodecError) {
    guard elements % type.blockElements == 0 else {
      throw .shape(
        codec: "\(descriptor)", shape: [elements], reason: "it is not a whole number of blocks of \(type.blockElements)"
      )
    }
  }
}
