import TestSupport
import Testing

@testable import Codecs

@Suite struct SpQRGoldenTests {
  private func bytes(_ hex: Substring) -> [UInt8] {
    guard hex != "-" else { return [] }
    let digits = Array(hex.utf8)
    return stride(from: 0, to: digits.count, by: 2).compactMap {
      UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
    }
  }

  /// Planes and values of an implementation in numpy that was written from the page.
  @Test func planesDecodeAsThePageSays() throws {
    let text = String(
      decoding: try Fixtures.bytes(Fixtures.root + "/Tests/CodecsTests/Goldens/spqr.txt"), as: UTF8.self)
    var lines = text.split(separator: "\n")[...]
    var cases = 0
    while let header = lines.popFirst()?.split(separator: " ") {
      let codec = try CodecRegistry.codec(String(header[0]))
      let (rows, columns) = (try #require(Int(header[1])), try #require(Int(header[2])))
      let planes = lines.prefix(codec.planes.count).map(bytes)
      lines = lines.dropFirst(codec.planes.count)
      let values = lines.popFirst()
      let expected = bytes(try #require(values))
      for reference in [false, true] {
        let found = try codec.bitPatterns(planes, rows: rows, columns: columns, reference: reference)
        #expect(found.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } } == expected)
      }
      cases += 1
    }
    #expect(cases == 6)
  }

  /// The example of specs/codecs/spqr.md.
  @Test func theWorkedExample() throws {
    let codec = try SpQRCodec(dense: BilevelCodec(bits: 3, tileRows: 2, tileColumns: 4))
    let planes = [
      "88 3e d6 05 20 00", "19 24 12 38", "00 34 00 bc 00 3c 00 38 00 30 00 00 00 38 00 c0", "04 02 00 00 00", "55",
      "00 00 00 be",
    ].map { $0.split(separator: " ").flatMap(bytes) }
    let values: [Float] = [-1.75, -1.25, 0, 1.75, 1, -0.5, 0.5, 1.5, 2.5, -1.5]
    #expect(try codec.values(planes, rows: 2, columns: 5) == values)
    let span = try withSpan(planes, elements: 10, columns: 5) { try codec.unpack($0) }
    #expect(span.outliers == [Outlier(position: 2, bits: 0), Outlier(position: 9, bits: 0xBE00)])
    let repacked = try codec.pack(span)
    #expect(repacked[..<3] == planes[..<3] && repacked[5] == planes[5])
  }
}
