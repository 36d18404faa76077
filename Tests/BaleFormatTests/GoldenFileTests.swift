import BaleFormat
import ByteIO
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Files of version 1 as they were first written: the reader must read them for ever, and a writer of version 1 must
/// write them again byte for byte. `BALE_RECORD=1` writes those that are not there.
@Suite struct GoldenFileTests {
  static let folder = Fixtures.samples + "/good/bale"

  private func check(_ name: String, _ bytes: [UInt8]) throws {
    let path = Self.folder + "/" + name
    if getenv("BALE_RECORD") != nil, !Path.exists(path) {
      let output = try OutputFile(path)
      try output.write(bytes, at: 0)
      try output.commit(length: bytes.count)
    }
    #expect(try Fixtures.bytes(path) == bytes)
  }

  @Test func theContainerIsAsItWas() throws {
    try check("v1-container.bale", try SampleFile.bytes())
    try check("v1-sha256.bale", try SampleFile.bytes(withExperts: false, sha256: true))
  }

  @Test func theSetIsAsItWas() throws {
    let directory = try TemporaryDirectory()
    var options = BaleWriter.Options()
    options.shardSize = 35_000
    for shard in try SampleFile.write(to: directory.file("v1-set.bale"), options: options) {
      try check(Path.name(of: shard.path), try Fixtures.bytes(shard.path))
    }
  }

  @Test func theSetOpensAndHolds() async throws {
    for number in 1...3 {
      let file = try BaleFile(Self.folder + "/v1-set-0000\(number)-of-00003.bale")
      #expect(file.tensorCount == 9)
      #expect(try await file.verify().damage.isEmpty)
    }
  }

  /// The worked example of specs/bale.md, "A file, byte by byte": literal values of the stored file.
  @Test func theRootIsTheOnePrinted() throws {
    let file = try BaleFile(Self.folder + "/v1-container.bale")
    let root = "868d435131f20c7c7c1b468fa92bd863959d8b8f0e9b819261336421d6885175"
    #expect(file.roots.map { hexadecimal($0) } == [root])
    let norm = try #require(file.tensor(named: "norm")?.parts.first)
    #expect(hexadecimal(try file.readChunk(0, plane: 0, of: norm).prefix(8)) == "8a79e94a803f45c0")
  }
}
