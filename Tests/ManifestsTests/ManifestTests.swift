import ByteIO
import JSON
import TestSupport
import Testing

@testable import Manifests

@Suite struct ManifestTests {
  private let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory()
    try directory.write((0..<10_000).map { UInt8(truncatingIfNeeded: $0 * 7 / 3) }, to: "model/a.bin")
    try directory.write([], to: "model/sub/empty")
    try directory.write([1, 2], to: "model/sub/b")
  }

  private var model: String { directory.file("model") }

  private func digests() throws -> [FileDigest] {
    try DigestJob(ModelFiles(of: model, followsLinks: true).files, chunkSize: 4096).run(threads: 2)
  }

  @Test func aManifestComesBack() throws {
    let manifest = Manifest(chunkSize: 4096, ignored: ["x"], files: try digests())
    #expect(manifest.files.map(\.name) == ["a.bin", "sub/b", "sub/empty"])
    #expect(manifest.files.map(\.chunks.count) == [3, 1, 0])
    #expect(manifest.files[1].sha256 == SHA256.digest([1, 2]))
    #expect(try Manifest.parse(manifest.encoded) == manifest)
  }

  @Test func damageIsLocated() throws {
    let before = try digests()
    var bytes = try Fixtures.bytes(model + "/a.bin")
    bytes[4096] ^= 1
    bytes[9_999] ^= 1
    try directory.write(bytes, to: "model/a.bin")
    #expect(
      try FileMismatch.all(expected: before, found: digests(), chunkSize: 4096) == [
        FileMismatch(name: "a.bin", kind: .changed, ranges: [4096..<10_000])
      ])
    try directory.write(Array(bytes.prefix(8192)), to: "model/a.bin")
    try directory.write([0], to: "model/c")
    Path.remove(model + "/sub/b")
    #expect(
      try FileMismatch.all(expected: before, found: digests(), chunkSize: 4096) == [
        FileMismatch(name: "a.bin", kind: .changed, ranges: [4096..<10_000], size: (10_000, 8192)),
        FileMismatch(name: "c", kind: .extra), FileMismatch(name: "sub/b", kind: .missing),
      ])
  }

  @Test func namesAreIgnoredWithAllBelow() throws {
    #expect(try ModelFiles(of: model, ignored: ["sub"], followsLinks: false).files.map(\.name) == ["a.bin"])
    #expect(ModelFiles.name(of: model + "/sub/new", in: model) == "sub/new")
    #expect(ModelFiles.name(of: directory.file("new"), in: model) == nil)
  }

  @Test func manifestsThatCannotBeAreRefused() throws {
    let text = String(decoding: Manifest(chunkSize: 4096, files: try digests()).encoded, as: UTF8.self)
    func expect(_ reason: ManifestReason, _ old: String, _ new: String, location: SourceLocation = #_sourceLocation) {
      let changed = text.split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
      #expect(throws: reason, sourceLocation: location) { try Manifest.parse(Array(changed.utf8)) }
    }
    expect(.version, "\"bale_manifest\": 1", "\"bale_manifest\": 2")
    expect(.member("chunk_size"), "4096", "4095")
    expect(.member("ignored"), "[],\n \"files\"", "[1],\n \"files\"")
    expect(.member("files"), "files", "file")
    expect(.member("name"), "\"a.bin\"", "1")
    expect(.member("size"), "10000", "-1")
    expect(.chunks(file: "a.bin", expected: 5, found: 3), "10000", "20000")
    expect(.name("../b"), "sub/b", "../b")
    expect(.name("a.bin"), "sub/b", "a.bin")
    expect(.member("sha256"), "\"sha256\": \"", "\"sha256\": \"0")
    expect(.text(.trailingBytes), "\n}\n", "\n}}")
  }
}
