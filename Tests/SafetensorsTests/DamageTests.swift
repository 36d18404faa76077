import Safetensors
import TestSupport
import Testing

/// Damaged files: each is read or refused with a `SafetensorsError`, and a cut one is always refused.
struct DamageTests {
  static let samples = ["names", "tolerated", "mlx", "f6"]

  @Test(arguments: samples) func everyCutIsRefused(_ name: String) throws {
    let bytes = try Fixtures.bytes("\(Fixtures.samples)/good/safetensors/\(name).safetensors")
    for count in 0..<bytes.count { #expect(try refusal(Array(bytes[..<count])) != nil) }
    #expect(try refusal(bytes + [0]) != nil)
  }

  @Test(arguments: samples) func flippedBitsNeverTrap(_ name: String) throws {
    let bytes = try Fixtures.bytes("\(Fixtures.samples)/good/safetensors/\(name).safetensors")
    for bit in 0..<bytes.count * 8 {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << (bit % 8)
      _ = try refusal(damaged)
    }
  }

  @Test func splicedFilesNeverTrap() throws {
    var random = SplitMix64(seed: 0x5AFE)
    let files = try Self.samples.map { try Fixtures.bytes("\(Fixtures.samples)/good/safetensors/\($0).safetensors") }
    for _ in 0..<2000 {
      var bytes = try #require(files.randomElement(using: &random))
      let other = try #require(files.randomElement(using: &random))
      let start = Int.random(in: 0..<other.count, using: &random)
      let piece = other[start..<Int.random(in: start...other.count, using: &random)]
      let place = Int.random(in: 8..<bytes.count, using: &random)
      bytes.replaceSubrange(place..<Int.random(in: place...bytes.count, using: &random), with: piece)
      bytes[0] = UInt8(truncatingIfNeeded: bytes.count - 8)
      _ = try refusal(bytes)
    }
  }
}
