import ByteIO
import TestSupport
import Testing

@testable import Parity

/// samples/good/parity was made by Scripts/make-parity-samples.py from specs/parity.md, not by this code.
@Suite struct GoldenTests {
  private static let path = Fixtures.samples + "/good/parity/v1"

  @Test func theGoldenFileIsWhatIsWritten() throws {
    let directory = try TemporaryDirectory()
    let output = directory.file("v1.parity")
    try ProtectJob(Self.path, percent: 34, blockSize: 128)
      .run(to: output, overwrite: false, resources: ParityResources(threads: 1, memory: 1 << 20))
    let golden = try Fixtures.bytes(ParityFile.path(for: Self.path))
    #expect(try Fixtures.bytes(output) == golden)
    #expect(golden[4096] == 0xA4 && golden[4160] == 0x62)
  }

  @Test func theGoldenFileRestores() throws {
    let directory = try TemporaryDirectory()
    let original = try Fixtures.bytes(Self.path)
    let path = try directory.write(Array(original.prefix(100)), to: "v1")
    let job = try RepairJob(
      path, parity: ParityFile.path(for: Self.path), resources: ParityResources(threads: 2, memory: 1 << 20))
    #expect(job.plan.damagedBlocks == 3 && !job.plan.canRestore && job.plan.missingBlocks == 1)
    try directory.write(Array(original.prefix(128)), to: "v1")
    let second = try RepairJob(
      path, parity: ParityFile.path(for: Self.path), resources: ParityResources(threads: 2, memory: 1 << 20))
    try second.run(to: path, overwrite: true)
    #expect(try Fixtures.bytes(path) == original)
  }
}
