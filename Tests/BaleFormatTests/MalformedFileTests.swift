import BaleFormat
import ByteIO
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Files whose digests all hold and whose directory lies. `BALE_RECORD=1` writes the samples anew.
@Suite struct MalformedFileTests {
  static let folder = Fixtures.samples + "/bad/bale"

  private func reason(_ bytes: [UInt8]) -> BaleReason? {
    do {
      _ = try BaleFile(sources: [MemorySource(bytes)])
      return nil
    } catch {
      return (error as? BaleError)?.reason
    }
  }

  @Test(arguments: MalformedFile.all) func isRefusedForItsReason(_ file: MalformedFile) throws {
    let bytes = try file.bytes()
    let path = Self.folder + "/\(file.name).bale"
    if getenv("BALE_RECORD") != nil {
      let output = try OutputFile(path, overwrite: true)
      try output.write(bytes, at: 0)
      try output.commit(length: bytes.count)
    }
    #expect(try Fixtures.bytes(path) == bytes)
    #expect(reason(bytes) == file.reason)
  }

  @Test func everySampleHasItsRow() throws {
    #expect(try Path.entries(of: Self.folder) == MalformedFile.all.map { $0.name + ".bale" }.sorted())
    let spec = String(decoding: try Fixtures.bytes(Fixtures.root + "/specs/bale.md"), as: UTF8.self)
    for file in MalformedFile.all { #expect(spec.contains(file.name), "\(file.name)") }
  }

  @Test func theSampleIsFineBeforeItIsSpoilt() throws {
    #expect(reason(Resealed(try SampleFile.bytes(withExperts: false)) { _ in }.bytes) == nil)
  }

  @Test func anUnknownOptionalSectionIsSkipped() throws {
    // SHA2 under another name, optional as it is.
    let file = Resealed(try SampleFile.bytes(sha256: true)) {
      let row = $0.sectionRow("SHA2")
      $0.bytes.replaceSubrange(row..<row + 4, with: Array("NEW!".utf8))
    }
    #expect(try BaleFile(sources: [MemorySource(file.bytes)]).hasSHA256 == false)
  }

  @Test func anUnknownSegmentKindLeavesTheRestReadable() throws {
    let bytes = Resealed(try SampleFile.bytes()) { $0.set(UInt8(9), at: $0.row("SEGM", 0)) }.bytes
    let file = try BaleFile(sources: [MemorySource(bytes)])
    guard case .unknown(9) = file.originals[0].segments[0].source else {
      Issue.record("the segment should be of an unknown kind")
      return
    }
  }

  @Test func aFalseRootIsFoundByVerify() async throws {
    var bytes = try SampleFile.bytes()
    let trailer = bytes.count - 128
    bytes[trailer + 40] ^= 1
    let digest = XXH3.digest64(Array(bytes[trailer..<trailer + 120]))
    withUnsafeBytes(of: digest.littleEndian) { bytes.replaceSubrange((trailer + 120)..., with: $0) }
    let report = try BaleFile(sources: [MemorySource(bytes)]).verify()
    #expect(report.damage.map(\.reason) == [.rootMismatch])
  }

  /// A zstd frame that decodes to more, or to less, than its chunk row says, under digests that hold.
  @Test(arguments: [UInt32(999), 1001]) func aFrameOfAnotherLengthIsRefused(length: UInt32) throws {
    let bytes = Resealed(try SampleFile.bytes(withExperts: false)) {
      let (row, plane) = ($0.row("CHNK", 3), $0.row("PLAN", 4))
      $0.set(UInt64($0.u64(plane + 16) - $0.u32(row + 16) + Int(length)), at: plane + 16)
      $0.set(length, at: row + 16)
    }.bytes
    let file = try BaleFile(sources: [MemorySource(bytes)])
    let part = try #require(file.tensor(named: "packed")?.parts.first)
    #expect(throws: BaleError.self) { try file.readChunk(0, plane: 0, of: part) }
    _ = try file.readChunk(1, plane: 0, of: part)
  }

  /// A chunk that a record shares with an earlier one: its row repeats that one's.
  @Test func aSharedChunkMustRepeatItsOwner() async throws {
    let good = Resealed(try SampleFile.bytes(withExperts: false)) { Self.share(&$0, digest: true) }
    let file = try BaleFile(sources: [MemorySource(good.bytes)])
    #expect(try file.verify().damage.isEmpty)
    let norm = try #require(file.tensor(named: "norm")?.parts.first)
    let shared = try #require(file.tensor(named: "sparse")?.parts.first)
    #expect(try file.readChunk(0, plane: 2, of: shared) == file.readChunk(0, plane: 0, of: norm))
    let bad = Resealed(try SampleFile.bytes(withExperts: false)) { Self.share(&$0, digest: false) }
    #expect(reason(bad.bytes) == .chunkTiling(row: 18))
  }

  /// Lets the table of `sparse` (chunk 18) be the chunk of `norm` (chunk 0). The last chunk of the plane before takes
  /// over the bytes that come free.
  private static func share(_ file: inout Resealed, digest: Bool) {
    file.set(UInt8(1), at: file.row("RECD", 5) + 1)
    let (owner, guest) = (file.row("CHNK", 0), file.row("CHNK", 18))
    let freed = file.chunkRow(18).extent
    file.bytes.replaceSubrange(guest..<guest + 32, with: file.bytes[owner..<owner + 32])
    if !digest { file.bytes[guest + 24] ^= 1 }
    file.set(UInt64(file.u32(owner + 16)), at: file.row("PLAN", 7) + 16)
    file.set(UInt32(file.chunkRow(17).extent + freed), at: file.row("CHNK", 17) + 12)
    file.setDigest(ofChunk: 17)
  }
}
