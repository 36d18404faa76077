import Codecs
import Tensors
import TestSupport
import Testing

/// A stack of matrices decodes as its matrices do, one by one.
@Suite struct StackedNVFP4Tests {
  @Test(arguments: [(48, 3), (40, 2), (16, 1)]) func decodesAsItsMatricesDo(columns: Int, rows: Int) throws {
    var random = SplitMix64(seed: 3)
    let single = NVFP4Codec(global: .multiply, zero: .signed)
    let stack = try StackedNVFP4Codec(single, rows: rows)
    let (count, elements) = (4, rows * columns)
    var planes: [[UInt8]] = [[], [], []]
    var expected: [Float] = []
    for matrix in 0..<count {
      var own = (0..<2).map { plane in
        (0..<single.bytes(plane: plane, elements: elements, columns: columns)).map { _ in
          UInt8(truncatingIfNeeded: random.next()) & (plane == 1 ? 0x3F : 0xFF)
        }
      }
      let factor = Float(matrix + 1) / 3
      own.append((0..<4).map { UInt8(truncatingIfNeeded: factor.bitPattern >> (8 * UInt32($0))) })
      for plane in own.indices { planes[plane] += own[plane] }
      expected += try decode(single, own, elements: elements, columns: columns)
    }
    #expect(try decode(stack, planes, elements: elements * count, columns: columns) == expected)
    let codec = try CodecRegistry.codec(stack.descriptor)
    #expect(codec.descriptor == stack.descriptor)
    let ragged = try #require(Shape([rows * 2 + 1, columns]))
    if rows > 1 { #expect(throws: CodecError.self) { try stack.check(ragged) } }
  }

  private func decode(_ codec: any Codec, _ planes: [[UInt8]], elements: Int, columns: Int) throws -> [Float] {
    var fast = [Float](repeating: 0, count: elements)
    var plain = fast
    try withPlanes(planes) { pointers in
      let span = EncodedSpan(planes: pointers, elements: elements, columns: columns)
      try fast.withUnsafeMutableBufferPointer { try codec.decode(span, into: $0) }
      try plain.withUnsafeMutableBufferPointer { try codec.decodeReference(span, into: $0) }
    }
    #expect(fast.map(\.bitPattern) == plain.map(\.bitPattern))
    return fast
  }

  private func withPlanes(_ planes: [[UInt8]], _ body: ([UnsafeRawBufferPointer]) throws -> Void) rethrows {
    let buffers = planes.map { bytes in
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
      buffer.copyBytes(from: bytes)
      return buffer
    }
    defer { for buffer in buffers { buffer.deallocate() } }
    try body(buffers.map { UnsafeRawBufferPointer($0) })
  }
}
