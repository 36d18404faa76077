import ByteIO
import JSON
import TestSupport
import Testing

/// Parity, manifests and signatures, as a person uses them.
@Suite struct IntegrityCommandTests {
  private let directory: TemporaryDirectory
  private let file: String
  private let original: [UInt8]

  init() throws {
    directory = try TemporaryDirectory()
    original = try Fixtures.bytes(Command.tiny + "/model.safetensors")
    file = try directory.write(original, to: "model/model.safetensors")
    try directory.write([1, 2, 3], to: "model/config.json")
  }

  private func damage(_ change: (inout [UInt8]) -> Void) throws {
    var bytes = original
    change(&bytes)
    try directory.write(bytes, to: "model/model.safetensors")
  }

  @Test func repairRestoresWhatProtectGuards() throws {
    let protect = try Command.run(["protect", file, "--parity", "2%"])
    #expect(protect.status == 0 && protect.output.contains("any 12 of 562 blocks of 4096 bytes can be lost"))
    #expect(try Fixtures.bytes(file) == original)
    #expect(try Command.run(["protect", file]).status == 2)
    try damage {
      $0[70_000] ^= 1
      $0.removeLast(20_000)
    }
    #expect(try Command.run(["repair", file, "--dry-run"]).status == 1)
    let repair = try Command.run(["repair", file])
    #expect(repair.status == 0 && repair.output.contains("bytes 69632 to 73727: changed, restored"))
    #expect(repair.output.contains("missing, restored") && repair.output.contains("SHA-256 as it was protected"))
    #expect(try Fixtures.bytes(file) == original)
    let whole = try Command.run(["repair", file])
    #expect(whole.status == 0 && whole.output.contains("whole"))
  }

  @Test func tooMuchDamageIsListedToBeFetched() throws {
    #expect(try Command.run(["protect", file, "--quiet"]).output.isEmpty)
    try damage { for block in 0..<13 { $0[block * 40_960 + 4] ^= 1 } }
    let damaged = try Fixtures.bytes(file)
    let result = try Command.run(["repair", file, "--json"])
    #expect(result.status == 1)
    let report = try JSONValue(parsing: Array(result.output.utf8))
    #expect(report["can_restore"]?.bool == false && report["damaged_blocks"]?.int == 13)
    #expect(report["damage"]?.array?.count == 13 && report["damage"]?[1]?["begin"]?.int == 40_960)
    #expect(try Command.run(["repair", file]).errors.contains("fetch at least 1 of them again"))
    #expect(try Fixtures.bytes(file) == damaged)
  }

  @Test func verifyComparesWithAManifest() throws {
    let (model, manifest) = (directory.file("model"), directory.file("manifest.json"))
    #expect(try Command.run(["manifest", model, "-o", manifest]).status == 0)
    #expect(try Command.run(["verify", model, "--manifest", manifest]).status == 0)
    try damage { $0[100] ^= 1 }
    let result = try Command.run(["verify", model, "--manifest", manifest])
    #expect(
      result.status == 1 && result.errors.contains("'model.safetensors' has changed: bytes 0 to \(original.count - 1)"))
    try directory.write([], to: "manifest.json")
    #expect(try Command.run(["verify", model, "--manifest", manifest]).status == 1)
  }

  @Test func verifyChecksASignature() throws {
    let (model, signature) = (directory.file("model"), directory.file("model/model.sig"))
    let keys = Fixtures.samples + "/good/signature"
    #expect(try Command.run(["sign", model, "--key", keys + "/key.pem", "-o", signature]).status == 0)
    let check = ["verify", model, "--signature", signature, "--key", keys + "/public.pem"]
    #expect(try Command.run(check).status == 0)
    try directory.write([1, 2, 4], to: "model/config.json")
    let changed = try Command.run(check)
    #expect(changed.status == 1 && changed.errors.contains("'config.json' has changed"))
    #expect(try Command.run(["verify", model, "--signature", signature]).status == 2)
    #expect(try Command.run(["sign", model, "--key", model, "-o", directory.file("s")]).status == 2)
    #expect(!Path.exists(directory.file("s")))
  }
}
