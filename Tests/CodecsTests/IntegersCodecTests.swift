import Codecs
import TestSupport
import Testing

@Suite struct IntegersCodecTests {
  private func decode(
    _ codec: any Codec, _ planes: [[UInt8]], elements: Int, columns: Int, reference: Bool = false
  ) throws -> [UInt32] {
    let buffers = planes.map { plane in
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: plane.count, alignment: 16)
      buffer.copyBytes(from: plane)
      return buffer
    }
    defer { for buffer in buffers { buffer.deallocate() } }
    let span = EncodedSpan(planes: buffers.map { UnsafeRawBufferPointer($0) }, elements: elements, columns: columns)
    var values = [Float](repeating: .nan, count: elements)
    try values.withUnsafeMutableBufferPointer {
      if reference { try codec.decodeReference(span, into: $0) } else { try codec.decode(span, into: $0) }
    }
    return values.map(\.bitPattern)
  }

  /// The example of specs/codecs/integers.md.
  @Test func theExampleOfTheSpecification() throws {
    let codec = try CodecRegistry.codec("integers:bits=4,groups=index2,scale=F16,zero=code")
    let index: [UInt8] = [0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]
    let planes: [[UInt8]] = [[0x21, 0x43], [0x00, 0x3C, 0x00, 0x40], [1, 2], index]
    #expect(try decode(codec, planes, elements: 4, columns: 4).map { Float(bitPattern: $0) } == [0, 0, 2, 4])
  }

  /// The example of specs/codecs/additive.md.
  @Test func theExampleOfSums() throws {
    let codec = try CodecRegistry.codec("additive:group=2,books=2,bits=1,scale=F16")
    let books: [UInt8] = [0, 0x3C, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x3C, 0, 0xBC]
    let values = try decode(codec, [[0, 1], [0, 0x40], books], elements: 2, columns: 2)
    #expect(values.map { Float(bitPattern: $0) } == [4, 2])
  }

  private static let descriptors = [
    "integers:bits=1,groups=flat64,scale=F32,zero=point-F32", "integers:bits=2,groups=tensor,scale=F32,zero=code",
    "integers:bits=3,groups=stride24,scale=F32,zero=point-F16", "integers:bits=4,groups=index3,scale=BF16,zero=none",
    "integers:bits=5,groups=7,scale=F16,zero=bias-F16,steps=scale", "integers:bits=7,groups=row,scale=F16,zero=code",
    "integers:bits=8,groups=row,scale=F32,zero=none,over=127", "integers:bits=6,groups=flat10,scale=F16,zero=bias-F32",
    "integers:bits=4,groups=16,scale=F32,zero=none,columns=BF16",
    "integers:bits=4,groups=index3,scale=F16,zero=none,columns=F16", "additive:group=8,books=2,bits=8,scale=F16",
    "additive:group=5,books=3,bits=9,scale=BF16",
  ]

  @Test(arguments: descriptors) func bothKernelsAgree(_ text: String) throws {
    let codec = try CodecRegistry.codec(text)
    #expect("\(codec.descriptor)" == text)
    var random = SplitMix64(seed: 7)
    let (rows, columns) = (6, 40)
    let planes = codec.planes.indices.map { plane -> [UInt8] in
      let count = codec.bytes(plane: plane, elements: rows * columns, columns: columns)
      if codec.planes[plane].role == .permutation { return (0..<columns).flatMap { [UInt8($0 % 3), 0, 0, 0] } }
      // Without the top exponent bits floats are finite.
      return (0..<count).map { _ in
        UInt8.random(in: 0...(codec.planes[plane].role == .codes ? 255 : 0x3B), using: &random)
      }
    }
    let fast = try decode(codec, planes, elements: rows * columns, columns: columns)
    #expect(fast == (try decode(codec, planes, elements: rows * columns, columns: columns, reference: true)))
    #expect(Set(fast).count > 2)
  }

  @Test func refusesWhatItMust() throws {
    for text in [
      "integers:bits=9", "integers:groups=0", "integers:groups=some", "integers:zero=F16", "integers:steps=all",
      "integers:zero=code,over=127", "integers:zero=code,columns=F16", "integers:groups=flat8,columns=F16",
      "integers:columns=F8", "additive:group=0", "additive:bits=17", "additive:books=17",
    ] {
      #expect(throws: CodecError.self) { try CodecRegistry.codec(text) }
    }
    let codec = try CodecRegistry.codec("integers:bits=8,groups=index2,scale=F32,zero=none")
    let finite: [UInt8] = [0, 0, 128, 63, 0, 0, 128, 63]
    #expect(throws: CodecError.self) { try decode(codec, [[1], finite, [2, 0, 0, 0]], elements: 1, columns: 1) }
    let infinite: [UInt8] = [0, 0, 128, 127, 0, 0, 128, 63]
    #expect(throws: CodecError.self) { try decode(codec, [[1], infinite, [0, 0, 0, 0]], elements: 1, columns: 1) }
  }
}
