import ByteIO
import GGUF
import TestSupport
import Testing

/// A damaged file is refused or read as what it now says; nothing traps.
@Suite struct DamageTests {
  static let names = (try? Fixtures.names(GoodSampleTests.folder)) ?? []

  private func bytes(_ name: String) throws -> [UInt8] { try Fixtures.bytes("\(GoodSampleTests.folder)/\(name).gguf") }

  /// Cut before the end of the data, or of the header if there is none.
  @Test(arguments: names) func everyCutIsRefused(name: String) throws {
    let whole = try bytes(name)
    let header = try GGUFHeader(parsing: whole, path: name)
    let needed = header.tensors.map(\.range.upperBound).max() ?? header.length
    for length in 0..<needed {
      #expect(throws: GGUFError.self, "\(length)") { try GGUFHeader(parsing: Array(whole[..<length]), path: name) }
    }
    for length in needed...whole.count {
      #expect(throws: Never.self, "\(length)") { try GGUFHeader(parsing: Array(whole[..<length]), path: name) }
    }
  }

  /// Each bit of the header flipped: an error of ours, or a header whose plan reads as the same again.
  @Test(arguments: names) func everyFlipIsReadOrRefused(name: String) throws {
    var bytes = try bytes(name)
    let length = try GGUFHeader(parsing: bytes, path: name).length
    for bit in 0..<length * 8 {
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      defer { bytes[bit / 8] ^= 1 << UInt8(bit % 8) }
      do {
        let header = try GGUFHeader(parsing: bytes, path: name)
        #expect(header.tensors.allSatisfy { $0.range.upperBound <= bytes.count })
      } catch is GGUFError {
        continue
      }
    }
  }

  @Test func randomBytesAfterTheMagic() throws {
    var random = SplitMix64(seed: 7)
    for _ in 0..<20_000 {
      var builder = GGUFBuilder(
        bigEndian: .random(using: &random), tensors: .random(in: 0...3, using: &random),
        pairs: .random(in: 0...3, using: &random))
      for _ in 0..<Int.random(in: 0...24, using: &random) {
        switch Int.random(in: 0...3, using: &random) {
        case 0: builder.number(UInt64.random(in: 0...3, using: &random))
        case 1: builder.number(UInt32.random(in: 0...13, using: &random))
        case 2: builder.string("k\(Int.random(in: 0...2, using: &random))")
        default: builder.number(random.next())
        }
      }
      do { _ = try GGUFHeader(parsing: builder.bytes, path: "x") } catch is GGUFError { continue }
    }
  }
}
