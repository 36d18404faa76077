import Architectures
import Codecs
import TestSupport
import Testing

struct MXFP4RepackTests {
  /// Element e of a block has the code e & 15, so both layouts can be written down.
  @Test func workedBlock() {
    let codes: [UInt8] = (0..<16).map { byte in
      let (low, high) = (2 * byte & 15, (2 * byte + 1) & 15)
      return UInt8(low | high << 4)
    }
    var block = [UInt8](repeating: 0, count: 17)
    let fits = block.withUnsafeMutableBytes { block in
      codes.withUnsafeBytes { codes in
        [UInt8(0x7F)].withUnsafeBytes { MXFP4Repack.blocks(codes: codes, scales: $0, into: block) }
      }
    }
    #expect(fits)
    let expected: [UInt8] = (0..<16).map { UInt8($0) * 0x11 }
    #expect(block == [0x7F] + expected)
  }

  @Test func elementsKeepTheirPlace() throws {
    var random = SplitMix64(seed: 5)
    let count = 37
    let codes = (0..<count * 16).map { _ in UInt8.random(in: 0...255, using: &random) }
    let scales = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
    var blocks = [UInt8](repeating: 0, count: count * 17)
    #expect(pack(codes, scales, into: &blocks))
    for element in 0..<count * 32 {
      let (block, place) = (element / 32, element % 32)
      let source = codes[block * 16 + place / 2] >> (place % 2 == 0 ? 0 : 4) & 15
      let target = blocks[block * 17 + 1 + place % 16] >> (place < 16 ? 0 : 4) & 15
      #expect(source == target)
    }
    var codesBack = [UInt8](repeating: 0, count: codes.count)
    var scalesBack = [UInt8](repeating: 0, count: scales.count)
    let bothFit = blocks.withUnsafeBytes { blocks in
      codesBack.withUnsafeMutableBytes { MXFP4Repack.codes(of: blocks, into: $0) }
        && scalesBack.withUnsafeMutableBytes { MXFP4Repack.scales(of: blocks, into: $0) }
    }
    #expect(bothFit)
    #expect(codesBack == codes)
    #expect(scalesBack == scales)
  }

  @Test func sizesMustFit() {
    var blocks = [UInt8](repeating: 9, count: 17)
    #expect(!pack([UInt8](repeating: 0, count: 15), [0], into: &blocks))
    #expect(!pack([UInt8](repeating: 0, count: 32), [0], into: &blocks))
    #expect(!pack([UInt8](repeating: 0, count: 16), [0, 0], into: &blocks))
    #expect(blocks == [UInt8](repeating: 9, count: 17))
  }

  private func pack(_ codes: [UInt8], _ scales: [UInt8], into blocks: inout [UInt8]) -> Bool {
    blocks.withUnsafeMutableBytes { blocks in
      codes.withUnsafeBytes { codes in
        scales.withUnsafeBytes { MXFP4Repack.blocks(codes: codes, scales: $0, into: blocks) }
      }
    }
  }
}
