import ByteIO
import Tensors
import TestSupport
import Testing

/// Every bit pattern of the small types, and F32 around the ties, against ml_dtypes and numpy.
@Suite struct ElementGoldenTests {
  static let rows: [[String]] = ElementGoldens.digests.split(separator: "\n").map {
    $0.split(separator: " ").map(String.init)
  }
  static let targets = ElementGoldens.targets.split(separator: " ").compactMap { DType(rawValue: String($0)) }

  @Test func theTableIsComplete() {
    #expect(Self.targets.count == 12)
    #expect(Self.rows.count == 16)
    #expect(Self.rows.allSatisfy { $0.count == 13 && DType(rawValue: $0[0]) != nil })
  }

  @Test(arguments: rows) func everyPattern(row: [String]) throws {
    let source = try #require(DType(rawValue: row[0]))
    let codes = Self.codes(source)
    let bytes = Conversions.pack(codes, source)
    for (target, digest) in zip(Self.targets, row.dropFirst()) {
      let fast = try Conversions.convert(bytes: bytes, count: codes.count, from: source, to: target)
      #expect(Self.digest(fast, target, codes.count) == digest, "\(target)")
      let reference = try Conversions.convert(
        bytes: bytes, count: codes.count, from: source, to: target, reference: true)
      #expect(reference == fast, "reference \(target)")
    }
  }

  private static func codes(_ source: DType) -> [UInt64] {
    guard source == .f32 else { return (0..<(UInt64(1) << UInt64(source.bits))).map { $0 } }
    let lows: [UInt64] = [0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF]
    return (0..<UInt64(65536)).flatMap { high in lows.map { high << 16 | $0 } }
  }

  private static func digest(_ bytes: [UInt8], _ dtype: DType, _ count: Int) -> String {
    let codes =
      dtype.bits < 8 ? Conversions.unpack(bytes, dtype, count: count).map { UInt8($0) } : bytes
    return String(hexadecimal(SHA256.digest(codes)).prefix(8))
  }
}
