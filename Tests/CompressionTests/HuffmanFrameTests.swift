import CKernels
import TestSupport
import Testing

@testable import Compression

/// The kernel against its plain reference, and both against libzstd's reader.
@Suite struct HuffmanFrameTests {
  private func frame(_ source: [UInt8], room: Int? = nil) -> [UInt8]? {
    var target = [UInt8](repeating: 0xAA, count: room ?? 2 * source.count + 256)
    var workspace = [UInt64](repeating: 0xAAAA, count: Int(BALE_HUFFMAN_WORKSPACE) / 8)
    let size = bale_huffman_frame(source, source.count, &target, target.count, &workspace)
    return size == 0 ? nil : Array(target[..<size])
  }

  /// Bytes of which each is half as frequent as the one before, from `first` on.
  private func skewed(_ count: Int, first: UInt8, seed: UInt64) -> [UInt8] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in first + UInt8(min(random.next().leadingZeroBitCount, 127 - Int(first))) }
  }

  private static let sizes = [
    1024, 1025, 1026, 1027, 4095, 65535, 65536, 65791, 65792, 131071, 131072, 131073, 131072 + 63, 131072 + 64, 300_001,
  ]

  @Test(arguments: sizes) func equalsTheReferenceAndReadsBack(count: Int) throws {
    let source = skewed(count, first: 100, seed: UInt64(count))
    let made = try #require(frame(source))
    #expect(made == HuffmanFrame(source)?.bytes)
    let content = try made.withUnsafeBytes { try ZstdDecompressor().decompress($0, exactly: count) }
    #expect(content == source)
  }

  @Test func alphabetsOfEverySize() throws {
    var random = SplitMix64(seed: 3)
    for symbols in 2...129 {
      for power in [1, 4] {
        let source = (0..<2000).map { _ -> UInt8 in
          let uniform = Double.random(in: 0..<1, using: &random)
          return UInt8((0..<power).reduce(Double(symbols)) { value, _ in value * uniform })
        }
        let reference = HuffmanFrame(source)?.bytes
        #expect(frame(source) == reference, "\(symbols) symbols")
        if let reference {
          #expect(try reference.withUnsafeBytes { try ZstdDecompressor().decompress($0, exactly: 2000) } == source)
        }
      }
    }
  }

  /// A table of its own where the bytes change, the one before where they don't.
  @Test func tablesFollowTheBytes() throws {
    let first = skewed(131_072, first: 100, seed: 1)
    let (same, changing) = (first + first, first + skewed(131_072, first: 20, seed: 2))
    for source in [same, changing] {
      let made = try #require(frame(source))
      #expect(made == HuffmanFrame(source)?.bytes)
      #expect(try made.withUnsafeBytes { try ZstdDecompressor().decompress($0, exactly: source.count) } == source)
    }
    // The type of the second block's literals: 3 is the table before.
    func secondType(_ source: [UInt8]) throws -> Int {
      let made = try #require(frame(source))
      let size = Int(made[9]) | Int(made[10]) << 8 | Int(made[11]) << 16
      return Int(made[9 + 3 + size >> 3 + 3] & 3)
    }
    #expect(try secondType(same) == 3)
    #expect(try secondType(changing) == 2)
  }

  @Test func whatDoesNotSuitIsLeftToLibzstd() throws {
    let refused: [[UInt8]] = [
      [], skewed(1023, first: 0, seed: 1), Array(repeating: 7, count: 5000), skewed(5000, first: 0, seed: 2) + [129],
      skewed(131_072, first: 0, seed: 3) + Array(repeating: 1, count: 1000),
    ]
    for source in refused {
      #expect(frame(source) == nil)
      #expect(HuffmanFrame(source) == nil)
      let made = try source.withUnsafeBytes { try ZstdCompressor().compress($0, .huffmanOnly) }
      #expect(try made.withUnsafeBytes { try ZstdDecompressor().decompress($0, exactly: source.count) } == source)
    }
  }

  @Test func tooLittleRoomIsNoticed() {
    let source = skewed(200_000, first: 60, seed: 5)
    for room in [0, 8, 9, 100, 10_000, 180_000] { #expect(frame(source, room: room) == nil) }
  }

  /// Codes of more than 11 bits would be best here.
  @Test func longCodesAreLimited() throws {
    var source: [UInt8] = []
    for symbol in 0..<20 { source += Array(repeating: UInt8(symbol), count: (1 << symbol) / 16 + 1) }
    let made = try #require(frame(source))
    #expect(made == HuffmanFrame(source)?.bytes)
    #expect(try made.withUnsafeBytes { try ZstdDecompressor().decompress($0, exactly: source.count) } == source)
  }
}
