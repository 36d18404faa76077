import BaleFormat
import ByteIO
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Damage to a whole file: every case must be noticed by opening or by verifying, and none may crash.
/// `BALE_EXHAUSTIVE=1` flips every bit; otherwise one bit in eight, a different one in each byte, is flipped.
@Suite struct FaultInjectionTests {
  static let isExhaustive = getenv("BALE_EXHAUSTIVE") != nil

  private func isDetected(_ bytes: [UInt8]) async -> Bool {
    do {
      return try !BaleFile(sources: [MemorySource(bytes)]).verify(threads: 1).damage.isEmpty
    } catch is BaleError {
      return true
    } catch {
      return false
    }
  }

  @Test func everyFlippedBitIsNoticed() async throws {
    var bytes = try SampleFile.bytes(withExperts: Self.isExhaustive)
    #expect(bytes.count <= 65536)
    var missed: [Int] = []
    for index in bytes.indices {
      for bit in 0..<8 where Self.isExhaustive || bit == index % 8 {
        bytes[index] ^= 1 << bit
        if await !isDetected(bytes) { missed.append(index * 8 + bit) }
        bytes[index] ^= 1 << bit
      }
    }
    #expect(missed.isEmpty)
  }

  /// Ten thousand bits of 64 MiB, one at a time; a hundred of 1 MiB unless the run is exhaustive.
  @Test func randomFlipsOfALargeFileAreNoticed() async throws {
    let size = Self.isExhaustive ? 64 << 20 : 1 << 20
    let directory = try TemporaryDirectory()
    let path = directory.file("large.bale")
    try SampleFile.writeLarge(bytes: size, to: path)
    var bytes = try Fixtures.bytes(path)
    #expect(bytes.count >= size)
    var random = SplitMix64(seed: 64)
    for _ in 0..<(Self.isExhaustive ? 10_000 : 100) {
      let bit = Int.random(in: 0..<bytes.count * 8, using: &random)
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      if await !isDetected(bytes) { Issue.record("bit \(bit) goes unnoticed") }
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
    }
  }

  @Test func everyTruncationIsNoticed() async throws {
    let bytes = try SampleFile.bytes(withExperts: Self.isExhaustive)
    for count in 0..<bytes.count where await !isDetected(Array(bytes[..<count])) {
      Issue.record("a cut at \(count) goes unnoticed")
    }
  }

  @Test func everyExtensionIsNoticed() async throws {
    let bytes = try SampleFile.bytes(withExperts: false)
    for count in 1...4096 where await !isDetected(bytes + [UInt8](repeating: UInt8(count & 255), count: count)) {
      Issue.record("\(count) appended bytes go unnoticed")
    }
    // A trailer appended again ends as a file does, but says another length.
    #expect(await isDetected(bytes + bytes.suffix(128)))
  }

  @Test func lostAndMisdirectedPagesAreNoticed() async throws {
    let bytes = try SampleFile.bytes()
    let pages = stride(from: 0, to: bytes.count, by: 4096).map { $0..<min(bytes.count, $0 + 4096) }
    for (index, page) in pages.enumerated() {
      var zeroed = bytes
      for byte in page { zeroed[byte] = 0 }
      if zeroed != bytes, await !isDetected(zeroed) { Issue.record("page \(index) zeroed goes unnoticed") }
      for (other, source) in pages.enumerated() where other != index && source.count == page.count {
        var copied = bytes
        copied.replaceSubrange(page, with: bytes[source])
        if copied != bytes, await !isDetected(copied) { Issue.record("page \(other) over \(index) goes unnoticed") }
        var swapped = copied
        swapped.replaceSubrange(source, with: bytes[page])
        if swapped != bytes, await !isDetected(swapped) { Issue.record("pages \(index), \(other) swapped unnoticed") }
      }
    }
  }

  @Test func chunksOfAnotherFileAreNoticed() async throws {
    let directory = try TemporaryDirectory()
    var options = BaleWriter.Options()
    options.metadata = Array("[]".utf8)
    _ = try SampleFile.write(to: directory.file("other.bale"), options: options)
    let (a, b) = (try SampleFile.bytes(), try Fixtures.bytes(directory.file("other.bale")))
    // The same length; bodies are equal, directory and trailer are not.
    let end = a.count - 128
    #expect(a.count == b.count)
    #expect(await isDetected(Array(a[..<end]) + b[end...]))
    // Expert 1 in the place of expert 0.
    let file = try BaleFile(sources: [MemorySource(a)])
    let first = try #require(file.record(layer: 3, expert: 0)).range
    let second = try #require(file.record(layer: 3, expert: 1)).range
    var spliced = a
    spliced.replaceSubrange(first, with: a[second])
    #expect(await isDetected(spliced))
    // A whole file behind a whole file.
    #expect(await isDetected(a + b))
  }

  @Test func damageIsReportedWhereItIs() async throws {
    var bytes = try SampleFile.bytes()
    let file = try BaleFile(sources: [MemorySource(bytes)])
    let expert = try #require(file.record(layer: 3, expert: 1))
    bytes[expert.range.lowerBound + 130] ^= 4
    bytes[expert.range.upperBound - 1] ^= 1
    let embed = try #require(file.tensor(named: "embed")?.parts.first)
    bytes[file.record(embed.record).range.lowerBound] ^= 0x80
    let damaged = try BaleFile(sources: [MemorySource(bytes)])
    let damage = try damaged.verify().damage
    #expect(damage.map(\.tensors) == [["embed"], ["experts.up"], []])
    #expect(damage.map { $0.records.map(\.index) } == [[embed.record.index], [expert.id.index], [expert.id.index]])
    #expect(damage[0].range == file.record(embed.record).range)
    let start = damage[0].range.lowerBound
    #expect(throws: BaleError(.chunkDamaged(bytes: 128), file: "memory", tensor: "embed", offset: start)) {
      try damaged.readChunk(0, plane: 0, of: embed)
    }
    #expect(throws: BaleError.self) { try damaged.readRecord(expert) }
    let other = try #require(damaged.record(layer: 3, expert: 0))
    _ = try damaged.readRecord(other)
  }

  @Test func aForgedFastDigestFailsTheSlowOne() async throws {
    // A body chunk and its XXH3 changed together, everything above resealed: only SHA-256 tells.
    let original = try SampleFile.bytes(sha256: true)
    let forged = Resealed(original) { file in
      let chunk = file.chunkRow(0)
      file.bytes[chunk.offset] ^= 1
      file.setDigest(ofChunk: 0)
    }
    let report = try BaleFile(sources: [MemorySource(forged.bytes)]).verify()
    #expect(report.damage.map(\.reason) == [.chunkSHA256(bytes: 128)])
  }
}
