import ByteIO
import Tensors
import TestSupport
import Testing

@testable import Codecs

/// Floats as differences from a base.
@Suite struct DeltaCodecTests {
  private static let cases = SplitCodec.dtypes.flatMap { dtype in
    DifferenceOperation.allCases.map { (dtype, $0) }
  }

  private func buffer(_ bytes: [UInt8]) -> ByteBuffer {
    let buffer = ByteBuffer(count: bytes.count)
    buffer.withMutableBytes { $0.copyBytes(from: bytes) }
    return buffer
  }

  private func random(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in UInt8.random(in: 0 ... .max, using: &random) }
  }

  /// The planes of the difference of two runs of bytes.
  private func planes(_ codec: DeltaCodec, _ source: [UInt8], _ base: [UInt8]) throws -> [[UInt8]] {
    let elements = source.count / (codec.dtype.bits / 8)
    let planes = codec.planes.map { _ in ByteBuffer(count: elements) }
    try ByteBuffer.withMutableBytes(of: planes) { planes in
      try buffer(source).withMutableBytes { source in
        try buffer(base).withBytes { try codec.split(source, from: $0, into: planes) }
      }
    }
    return planes.map { $0.withBytes { Array($0) } }
  }

  private func joined(_ codec: DeltaCodec, _ planes: [[UInt8]], _ base: [UInt8]) throws -> [UInt8] {
    let target = ByteBuffer(count: base.count)
    let buffers = planes.map(buffer)
    try ByteBuffer.withMutableBytes(of: buffers) { planes in
      let span = EncodedSpan(
        planes: planes.map { UnsafeRawBufferPointer($0) }, elements: planes[0].count, columns: planes[0].count)
      try buffer(base).withBytes { base in try target.withMutableBytes { try codec.join(span, from: base, into: $0) } }
    }
    return target.withBytes { Array($0) }
  }

  @Test(arguments: cases) func anyBytesComeBack(_ dtype: DType, _ operation: DifferenceOperation) throws {
    let codec = try #require(DeltaCodec(dtype, operation))
    for elements in [0, 1, 33, 1000] {
      let size = elements * dtype.bits / 8
      let (source, base) = (random(size, seed: 1), random(size, seed: 2))
      #expect(try joined(codec, planes(codec, source, base), base) == source)
    }
  }

  /// specs/codecs/delta.md, "Examples".
  @Test func theExamplesOfTheSpec() throws {
    let base: [UInt8] = [0x80, 0x3F, 0x80, 0x3F, 0x00, 0x40]
    let source: [UInt8] = [0x81, 0x3F, 0x7F, 0x3F, 0x00, 0xC0]
    #expect(try planes(#require(DeltaCodec(.bf16, .xor)), source, base) == [[0, 1, 0], [2, 254, 1]])
    #expect(try planes(#require(DeltaCodec(.bf16, .sub)), source, base) == [[0, 0, 255], [2, 1, 255]])
  }

  @Test func withoutTheBaseThereAreNoValues() throws {
    let codec = try CodecRegistry.codec("delta:dtype=F16,op=sub")
    #expect("\(codec.descriptor)" == "delta:dtype=F16,op=sub")
    let output = UnsafeMutableBufferPointer<Float>(start: nil, count: 0)
    let empty = EncodedSpan(planes: [], elements: 0, columns: 1)
    #expect(throws: CodecError.needsBase(codec: "delta:dtype=F16,op=sub")) { try codec.decode(empty, into: output) }
    #expect(throws: CodecError.needsBase(codec: "delta:dtype=F16,op=sub")) {
      try codec.decodeReference(empty, into: output)
    }
    #expect(throws: CodecError.self) { try CodecRegistry.codec("delta:dtype=I8") }
    #expect(throws: CodecError.self) { try CodecRegistry.codec("delta:op=add") }
  }

  @Test func theBaseHasToHaveTheSize() throws {
    let codec = try #require(DeltaCodec(.bf16, .xor))
    #expect(throws: CodecError.planeSize(codec: "delta", plane: .codes, expected: 4, found: 2)) {
      try planes(codec, [1, 2, 3, 4], [1, 2])
    }
  }

  @Test func theSmallerOperationIsChosen() throws {
    var random = SplitMix64(seed: 5)
    let base = (0..<4096).map { _ in Float(random.normal()).bitPattern }
    func bytes(_ codes: [UInt32]) -> ByteBuffer { buffer(codes.withUnsafeBytes { Array($0) }) }
    // Steps of a few units either way carry into high bits, which only a subtraction takes back.
    let near = base.map { $0 &+ UInt32.random(in: 0..<9, using: &random) &- 4 }
    #expect(try DeltaCodec.best(dtype: .f32, source: bytes(near), base: bytes(base))?.operation == .sub)
    // One flipped bit in the middle is one bit, and a difference of either sign.
    let flipped = base.map { $0 ^ (Bool.random(using: &random) ? 0x8000_0000 : 0) }
    #expect(try DeltaCodec.best(dtype: .f32, source: bytes(flipped), base: bytes(base))?.operation == .xor)
    let other = (0..<4096).map { _ in Float(random.normal()).bitPattern }
    #expect(try DeltaCodec.best(dtype: .f32, source: bytes(other), base: bytes(base)) == nil)
  }

  @Test func huffmanCostsAreThoseOfTheCode() {
    func cost(_ bytes: [UInt8]) -> Int { bytes.withUnsafeBytes(HuffmanCost.bits) }
    #expect(cost([]) == 0 && cost([7, 7, 7]) == 0)
    #expect(cost([1, 2]) == 2)
    // Weights 1, 1, 2, 4: code lengths 3, 3, 2, 1.
    #expect(cost([1, 2, 3, 3, 4, 4, 4, 4]) == 3 + 3 + 4 + 4)
    #expect(cost(Array(0...255)) == 256 * 8)
  }
}
