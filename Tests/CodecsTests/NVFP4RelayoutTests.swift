import TestSupport
import Testing

@testable import Codecs

@Suite struct NVFP4RelayoutTests {
  /// Every code beside every other, under every scale byte that ggml has.
  @Test(arguments: NVFP4Codec.Zero.allCases) func ggmlHoldsTheSameValues(zero: NVFP4Codec.Zero) throws {
    let codec = NVFP4Codec(global: .none, zero: zero)
    let ggml = try GGMLCodec(.nvfp4)
    let elements = 128 * 254
    let codes = (0..<elements / 2).map { UInt8(truncatingIfNeeded: $0 &* 167) }
    let scales = (0..<elements / 16).map { UInt8($0 % 127) }
    let blocks = try move([codes, scales], from: codec, to: ggml, elements: elements)
    let values = try EncodedTensor(codec, planes: [codes, scales], elements: elements, columns: 128).decode()
    let there = try EncodedTensor(ggml, planes: blocks, elements: elements, columns: 128).decode()
    #expect(there == values)
    if zero == .unsigned { #expect(bits(there) == bits(values)) }
    #expect(try move(blocks, from: ggml, to: codec, elements: elements) == [codes, scales])
  }

  @Test(arguments: [UInt8(0x7F), 0x80, 0xFF]) func refusesScalesThatGGMLReadsOtherwise(byte: UInt8) throws {
    var scales = [UInt8](repeating: 0x38, count: 8)
    scales[5] = byte
    let codec = NVFP4Codec(global: .none)
    #expect(throws: CodecError.self) {
      try move([[UInt8](repeating: 0, count: 64), scales], from: codec, to: try GGMLCodec(.nvfp4), elements: 128)
    }
  }

  private func move(
    _ planes: [[UInt8]], from source: any Codec, to target: any Codec, elements: Int
  ) throws -> [[UInt8]] {
    let relayout = try #require(Relayouts.find(from: source, to: target))
    let inputs = planes.map { plane in
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: plane.count, alignment: 1)
      buffer.copyBytes(from: plane)
      return buffer
    }
    let outputs = target.planes.indices.map {
      UnsafeMutableRawBufferPointer.allocate(
        byteCount: target.bytes(plane: $0, elements: elements, columns: 128), alignment: 1)
    }
    defer { (inputs + outputs).forEach { $0.deallocate() } }
    let span = EncodedSpan(planes: inputs.map { UnsafeRawBufferPointer($0) }, elements: elements, columns: 128)
    try relayout.run(span, into: outputs)
    return outputs.map { Array($0) }
  }
}
