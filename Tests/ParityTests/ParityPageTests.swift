import ByteIO
import TestSupport
import Testing

@testable import Parity

@Suite struct ParityPageTests {
  private func page(reserved: Bool = false) throws -> ParityPage {
    let layout = try ParityLayout(fileSize: 1000, percent: 20, blockSize: 128)
    return ParityPage(
      number: 0, layout: layout, sha256: [UInt8](repeating: 5, count: 32), digests: [UInt8](repeating: 9, count: 160))
  }

  /// The page with bytes replaced, and a digest that holds.
  private func encoded(_ offset: Int, _ bytes: [UInt8]) throws -> [UInt8] {
    var page = try page().encoded
    page.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    let digest = XXH3.digest64(Array(page.dropLast(8)))
    page.replaceSubrange(4088..., with: withUnsafeBytes(of: digest.littleEndian) { Array($0) })
    return page
  }

  @Test func aPageComesBack() throws {
    let page = try page()
    #expect(page.encoded.count == 4096)
    #expect(try ParityPage(page.encoded) == page)
  }

  @Test func everyFlippedBitIsNoticed() throws {
    let page = try page().encoded
    for bit in 0..<page.count * 8 {
      var flipped = page
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      guard try ParityPage(flipped) == nil else {
        Issue.record("bit \(bit)")
        return
      }
    }
  }

  @Test func pagesThatCannotBeAreRefused() throws {
    #expect(throws: ParityReason.version(2)) { try ParityPage(encoded(8, [2])) }
    #expect(throws: ParityReason.reserved) { try ParityPage(encoded(100, [1])) }
    #expect(throws: ParityReason.reserved) { try ParityPage(encoded(120 + 160, [1])) }
    #expect(throws: ParityReason.geometry("page 1 of 1")) { try ParityPage(encoded(12, [1])) }
    #expect(throws: ParityReason.geometry("blocks of 129 bytes")) { try ParityPage(encoded(56, [129])) }
    #expect(throws: ParityReason.geometry("9 blocks of 128 bytes for a file of 1000")) {
      try ParityPage(encoded(64, [9]))
    }
    #expect(throws: ParityReason.blocks(count: 65537 + 8 - 1, limit: 65536)) {
      try ParityPage(encoded(68, [0, 0, 1, 0]))
    }
    #expect(throws: ParityReason.self) { try ParityPage(encoded(16, [UInt8](repeating: 255, count: 8))) }
  }

  @Test func layouts() throws {
    let layout = try ParityLayout(fileSize: 1 << 30, percent: 2)
    #expect(layout.blockSize == 256 << 10 && layout.dataBlocks == 4096 && layout.parityBlocks == 82)
    #expect(try ParityLayout(fileSize: 1, percent: 0.1).parityBlocks == 1)
    #expect(throws: ParityReason.geometry("blocks of 100 bytes")) {
      try ParityLayout(fileSize: 1000, percent: 2, blockSize: 100)
    }
    #expect(throws: ParityReason.blocks(count: 66_846, limit: 65_536)) {
      try ParityLayout(fileSize: 65_536 * 128 - 128, percent: 2, blockSize: 128)
    }
  }
}
