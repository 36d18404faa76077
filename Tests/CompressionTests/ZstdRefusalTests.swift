import Compression
import TestSupport
import Testing

/// Frames that must be refused, each for its reason, before or while they are decoded.
@Suite struct ZstdRefusalTests {
  private static let content = (0..<5000).map { UInt8($0 % 251 / 7) }

  private func refuse(_ frame: [UInt8], exactly size: Int, _ reason: CompressionError) {
    #expect(throws: reason) { try Zstd.decompress(frame, exactly: size) }
  }

  @Test func otherSizesThanDeclared() throws {
    let frame = try Zstd.compress(Self.content, .level(3))
    refuse(frame, exactly: 4999, .contentSize(expected: 4999, declared: 5000))
    refuse(frame, exactly: 5001, .contentSize(expected: 5001, declared: 5000))
    refuse(frame, exactly: 0, .contentSize(expected: 0, declared: 5000))
  }

  /// 1 GiB of zeros in 13 KiB of one frame that does not declare its size: blocks of 128 KiB that repeat one byte.
  @Test func bombsStopAtTheEndOfTheBuffer() {
    let block = Self.block(size: 128 << 10, type: 1, last: false) + [0]
    var frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x38]
    for _ in 0..<8192 { frame += block }
    frame += Self.block(size: 0, type: 0, last: true)
    refuse(frame, exactly: 1 << 16, .damaged("Destination buffer is too small"))
    refuse(frame, exactly: 0, .damaged("Destination buffer is too small"))
  }

  @Test func fewerBytesThanWanted() throws {
    let frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x00] + Self.block(size: 3, type: 0, last: true) + [7, 8, 9]
    #expect(try Zstd.decompress(frame, exactly: 3) == [7, 8, 9])
    refuse(frame, exactly: 4, .decodedSize(expected: 4, found: 3))
  }

  @Test func everyTruncation() throws {
    let frame = try Zstd.compress(Self.content, .huffmanOnly)
    for length in 0..<4 { refuse(Array(frame.prefix(length)), exactly: 5000, .notAFrame) }
    for length in 4..<frame.count { refuse(Array(frame.prefix(length)), exactly: 5000, .truncated) }
  }

  @Test func trailingBytesAndFrames() throws {
    let frame = try Zstd.compress(Self.content, .level(3))
    refuse(frame + [0], exactly: 5000, .trailing(frame: frame.count, found: frame.count + 1))
    refuse(frame + frame, exactly: 5000, .trailing(frame: frame.count, found: 2 * frame.count))
    refuse(frame + frame, exactly: 10_000, .contentSize(expected: 10_000, declared: 5000))
    let skippable: [UInt8] = [0x50, 0x2A, 0x4D, 0x18, 1, 0, 0, 0, 0xAA]
    refuse(skippable, exactly: 0, .notAFrame)
    refuse(skippable + frame, exactly: 5000, .notAFrame)
    refuse(frame + skippable, exactly: 5000, .trailing(frame: frame.count, found: frame.count + 9))
    let empty = try Zstd.compress([], .level(3))
    refuse(empty + frame, exactly: 5000, .contentSize(expected: 5000, declared: 0))
  }

  @Test func headersThatAskForMore() {
    let block = Self.block(size: 1, type: 0, last: true) + [7]
    let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]
    refuse(magic + [0x21, 0x05, 0x01] + block, exactly: 1, .dictionary)
    refuse(magic + [0x01, 0x00, 0x05] + block, exactly: 1, .dictionary)
    refuse(magic + [0x28, 0x01] + block, exactly: 1, .reservedBit)
    refuse(magic + [0x00, 0x89] + block, exactly: 1, .window(9 << 24))
    refuse(magic + [0x00, 0xFF] + block, exactly: 1, .window(15 << 38))
    refuse(magic + [0xE0] + [UInt8](repeating: 0xFF, count: 8), exactly: 1, .contentSize(expected: 1, declared: .max))
    refuse([0x27, 0xB5, 0x2F, 0xFD, 0x20, 0x01] + block, exactly: 1, .notAFrame)  // zstd 0.7
  }

  /// Without checksum a flip may go unnoticed here (the containers have digests): it must not trap, and what comes
  /// back has the right size.
  @Test func everyFlippedBit() throws {
    let frame = try Zstd.compress(Array(Self.content.prefix(600)), .huffmanOnly)
    var noticed = 0
    for bit in 0..<frame.count * 8 {
      var damaged = frame
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      do {
        #expect(try Zstd.decompress(damaged, exactly: 600).count == 600)
      } catch is CompressionError {
        noticed += 1
      }
    }
    #expect(noticed > 60)
  }

  /// A block header: RFC 8878, section 3.1.1.2.
  private static func block(size: Int, type: Int, last: Bool) -> [UInt8] {
    let header = size << 3 | type << 1 | (last ? 1 : 0)
    return [UInt8(header & 255), UInt8(header >> 8 & 255), UInt8(header >> 16)]
  }
}
