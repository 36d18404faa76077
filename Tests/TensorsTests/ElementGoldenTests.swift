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
    for (target, digest) in zip(Self.targets, row.dropFirst()) {
      #expect(Self.digest(try Conversions.convert(codes, from: source, to: target), target) == digest, "\(target)")
      let reference = try Conversions.convert(codes, from: source, to: target, reference: true)
      #expect(Self.digest(reference, target) == digest, "reference \(target)")
    }
  }

  private static func codes(_ source: DType) -> [UInt64] {
    guard source == .f32 else { return (0..<(UInt64(1) << UInt64(source.bits))).map { $0 } }
    let lows: [UInt64] = [0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF]
    return (0..<UInt64(65536)).flatMap { high in lows.map { high << 16 | $0 } }
  }

  private static func digest(_ codes: [UInt64], _ dtype: DType) -> String {
    let size = max(dtype.bits, 8) / 8
    var bytes: [UInt8] = []
    bytes.reserveCapacity(codes.count * size)
    for code in codes {
      for byte in 0..<size { bytes.append(UInt8(truncatingIfNeeded: code >> UInt64(8 * byte))) }
    }
    return String(hexadecimal(SHA256.digest(bytes)).prefix(8))
  }
}
