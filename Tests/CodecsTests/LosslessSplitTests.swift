import Codecs
import Tensors
import TestSupport
import Testing

@Suite struct LosslessSplitTests {
  static let codecs = SplitCodec.dtypes.compactMap { SplitCodec($0) }
  /// Around every multiple of the 32 elements that a vector step takes, and of the tile of `decode`.
  static let counts = [0, 1, 2, 31, 32, 33, 63, 64, 65, 100, 1023, 1024, 1025, 2049]

  private static func random(_ codec: SplitCodec, _ count: Int, seed: UInt64) -> [UInt8] {
    var random = SplitMix64(seed: seed)
    return (0..<count * codec.dtype.bits / 8).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }

  @Test(arguments: codecs, counts) func fastEqualsReferenceAndComesBack(codec: SplitCodec, count: Int) throws {
    let source = Self.random(codec, count, seed: UInt64(count))
    let planes = try Lossless.split(codec, source)
    #expect(try Lossless.split(codec, source, reference: true) == planes)
    #expect(try Lossless.join(codec, planes, elements: count) == source)
    #expect(try Lossless.join(codec, planes, elements: count, reference: true) == source)
  }

  @Test(arguments: [DType.bf16, .f16]) func everyCode(dtype: DType) throws {
    let codec = try #require(SplitCodec(dtype))
    let source = (0..<65536).flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
    let planes = try Lossless.split(codec, source)
    #expect(try Lossless.split(codec, source, reference: true) == planes)
    #expect(try Lossless.join(codec, planes, elements: 65536) == source)
    #expect(try Lossless.join(codec, planes, elements: 65536, reference: true) == source)
  }

  @Test(arguments: codecs, [0, 1, 100, 1024, 1500]) func decodesToTheValuesOfTheSource(
    codec: SplitCodec, count: Int
  ) throws {
    let source = Self.random(codec, count, seed: 9)
    let planes = try Lossless.split(codec, source)
    var expected = [Float](repeating: 0, count: count)
    try source.withUnsafeBytes { bytes in
      try expected.withUnsafeMutableBufferPointer { try Elements.decode(codec.dtype, bytes, into: $0) }
    }
    for reference in [false, true] {
      let values = try Lossless.decode(codec, planes, elements: count, reference: reference)
      #expect(values.map(\.bitPattern) == expected.map(\.bitPattern))
    }
  }

  @Test func workedExamplesOfTheSpec() throws {
    // 1, -1, 0.15625 and -infinity.
    let bf16: [UInt8] = [0x80, 0x3F, 0x80, 0xBF, 0x20, 0x3E, 0x80, 0xFF]
    let planes = try Lossless.split(#require(SplitCodec(.bf16)), bf16)
    #expect(planes == [[0x7F, 0x7F, 0x7C, 0xFF], [0x00, 0x01, 0x40, 0x01]])
    // 1 and -65504.
    let f16: [UInt8] = [0x00, 0x3C, 0xFF, 0xFB]
    #expect(try Lossless.split(#require(SplitCodec(.f16)), f16) == [[0x78, 0xF7], [0x00, 0xFF]])
    // -pi.
    let f32: [UInt8] = [0xDB, 0x0F, 0x49, 0xC0]
    #expect(try Lossless.split(#require(SplitCodec(.f32)), f32) == [[0x80], [0x92], [0x1F], [0xB7]])
    // pi.
    let f64: [UInt8] = [0x18, 0x2D, 0x44, 0x54, 0xFB, 0x21, 0x09, 0x40]
    #expect(
      try Lossless.split(#require(SplitCodec(.f64)), f64) == [
        [0x80], [0x12], [0x43], [0xF6], [0xA8], [0x88], [0x5A], [0x30],
      ])
  }

  /// In the exponent plane of BF16 and F32 stands the biased exponent and nothing else.
  @Test func theExponentPlaneIsClean() throws {
    let codec = try #require(SplitCodec(.f32))
    let values: [Float] = [1, -1.5, 0.001, -3e38, 0, .leastNonzeroMagnitude]
    let planes = try Lossless.split(codec, values.flatMap { withUnsafeBytes(of: $0) { Array($0) } })
    #expect(planes[0] == values.map { UInt8($0.exponentBitPattern) })
    #expect(codec.compressiblePlanes == [0])
    #expect(codec.planes.map(\.role) == [.exponents, .mantissas, .mantissas, .mantissas])
    let double = try #require(SplitCodec(.f64))
    #expect(double.compressiblePlanes == [0, 1])
    #expect(double.planes.filter { $0.role == .exponents }.count == 2)
  }

  @Test func descriptor() throws {
    for codec in Self.codecs {
      #expect(try CodecRegistry.codec("\(codec.descriptor)").descriptor == codec.descriptor)
    }
    #expect(try CodecRegistry.codec("split").descriptor.description == "split:dtype=BF16")
    #expect(throws: CodecError.self) { try CodecRegistry.codec("split:dtype=F8_E4M3") }
    #expect(throws: CodecError.self) { try CodecRegistry.codec("split:dtype=F16,level=3") }
    #expect(SplitCodec(.i32) == nil)
  }

  @Test func refusesPlanesOfOtherSizes() throws {
    let codec = try #require(SplitCodec(.bf16))
    #expect(throws: CodecError.planeSize(codec: "split", plane: .mantissas, expected: 3, found: 2)) {
      try Lossless.join(codec, [[1, 2, 3], [1, 2]], elements: 3)
    }
    #expect(throws: CodecError.planeSize(codec: "split", plane: .mantissas, expected: 3, found: 0)) {
      try Lossless.join(codec, [[1, 2, 3]], elements: 3)
    }
    #expect(throws: CodecError.planeSize(codec: "split", plane: .exponents, expected: 3, found: 4)) {
      try Lossless.decode(codec, [[1, 2, 3, 4], [1, 2, 3]], elements: 3)
    }
    #expect(throws: CodecError.planeSize(codec: "split", plane: .mantissas, expected: 3, found: 0)) {
      try Lossless.decode(codec, [[1, 2, 3]], elements: 3)
    }
    #expect(throws: CodecError.self) { try Lossless.split(codec, [1, 2, 3]) }
  }
}

/// Calls on arrays for tests.
enum Lossless {
  static func split(_ codec: some LosslessCodec, _ source: [UInt8], reference: Bool = false) throws -> [[UInt8]] {
    let elements = source.count / (codec.dtype.bits / 8)
    let targets = codec.planes.map { _ in
      UnsafeMutableRawBufferPointer.allocate(byteCount: elements, alignment: 1)
    }
    defer { targets.forEach { $0.deallocate() } }
    try source.withUnsafeBytes { source in
      if reference { try codec.splitReference(source, into: targets) } else { try codec.split(source, into: targets) }
    }
    return targets.map { Array($0) }
  }

  static func join(
    _ codec: some LosslessCodec, _ planes: [[UInt8]], elements: Int, reference: Bool = false
  ) throws -> [UInt8] {
    var target = [UInt8](repeating: 0xA5, count: elements * codec.dtype.bits / 8)
    try withSpan(planes, elements) { span in
      try target.withUnsafeMutableBytes {
        if reference { try codec.joinReference(span, into: $0) } else { try codec.join(span, into: $0) }
      }
    }
    return target
  }

  static func decode(
    _ codec: some LosslessCodec, _ planes: [[UInt8]], elements: Int, reference: Bool = false
  ) throws -> [Float] {
    var values = [Float](repeating: 0, count: elements)
    try withSpan(planes, elements) { span in
      try values.withUnsafeMutableBufferPointer {
        if reference { try codec.decodeReference(span, into: $0) } else { try codec.decode(span, into: $0) }
      }
    }
    return values
  }

  private static func withSpan(_ planes: [[UInt8]], _ elements: Int, _ body: (EncodedSpan) throws -> Void) throws {
    let copies = planes.map { plane in
      let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: plane.count, alignment: 1)
      copy.copyBytes(from: plane)
      return copy
    }
    defer { copies.forEach { $0.deallocate() } }
    try body(
      EncodedSpan(planes: copies.map { UnsafeRawBufferPointer($0) }, elements: elements, columns: max(elements, 1)))
  }
}
