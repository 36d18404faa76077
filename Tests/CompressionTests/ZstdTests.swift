import Compression
import TestSupport
import Testing

@Suite struct ZstdTests {
  static let methods: [ZstdCompressor.Method] = [.level(1), .level(3), .level(19), .huffmanOnly]

  /// Bytes with the distribution of exponents: runs are rare, a few values make most.
  private static func skewed(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in UInt8(120 - min(random.next().leadingZeroBitCount, 20)) }
  }

  @Test(arguments: methods, [0, 1, 2, 255, 256, 257, 4096, 65791, 65792, 300_000])
  func comesBack(method: ZstdCompressor.Method, count: Int) throws {
    let content = Self.skewed(count)
    let frame = try Zstd.compress(content, method)
    #expect(try Zstd.decompress(frame, exactly: count) == content)
  }

  /// The four bits of entropy of these bytes, met within a few percent by Huffman codes alone.
  @Test func huffmanFindsTheSkew() throws {
    let content = Self.skewed(1 << 18)
    let frame = try Zstd.compress(content, .huffmanOnly)
    #expect(frame.count < content.count * 26 / 100)
    let fast = try Zstd.compress(content, .level(-1000))
    #expect(fast.count > content.count * 9 / 10)
  }

  @Test func methodsDoNotLeakIntoOneAnother() throws {
    let compressor = try ZstdCompressor()
    let content = Self.skewed(50_000)
    for method in Self.methods + Self.methods.reversed() {
      let frame = try content.withUnsafeBytes { try compressor.compress($0, method) }
      #expect(try frame == Zstd.compress(content, method))
    }
  }

  @Test func aFrameThatDoesNotFitIsNone() throws {
    var random = SplitMix64(seed: 5)
    let noise = (0..<10_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    let compressor = try ZstdCompressor()
    var target = [UInt8](repeating: 0, count: noise.count - 1)
    for (content, method) in [(noise, ZstdCompressor.Method.huffmanOnly), (noise, .level(3))] {
      let size = try content.withUnsafeBytes { source in
        try target.withUnsafeMutableBytes { try compressor.compress(source, method, into: $0) }
      }
      #expect(size == nil)
    }
    // The context is as good as new.
    let content = Self.skewed(10_000)
    let size = try content.withUnsafeBytes { source in
      try target.withUnsafeMutableBytes { try compressor.compress(source, .huffmanOnly, into: $0) }
    }
    #expect(try Array(target.prefix(#require(size))) == Zstd.compress(content, .huffmanOnly))
  }
}

/// One-shot calls for tests.
enum Zstd {
  static func compress(_ content: [UInt8], _ method: ZstdCompressor.Method) throws -> [UInt8] {
    let compressor = try ZstdCompressor()
    return try content.withUnsafeBytes { try compressor.compress($0, method) }
  }

  static func decompress(_ frame: [UInt8], exactly size: Int) throws -> [UInt8] {
    let decompressor = try ZstdDecompressor()
    return try frame.withUnsafeBytes { try decompressor.decompress($0, exactly: size) }
  }
}
