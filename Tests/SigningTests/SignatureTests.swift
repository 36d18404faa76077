import ByteIO
import JSON
import TestSupport
import Testing

@testable import Manifests
@testable import Signing

/// samples/good/signature was signed by model-signing 1.1.1 from PyPI.
@Suite struct SignatureTests {
  private static let sample = Fixtures.samples + "/good/signature"
  private static let model = sample + "/model"
  private static let publicKey = sample + "/public.pem"
  private static let signature = sample + "/model.sig"
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func mismatches(of model: String, _ signature: String = Self.signature) throws -> [FileMismatch] {
    let statement = try ModelSignature.statement(of: signature, key: Self.publicKey)
    return try ModelSignature.mismatches(of: model, statement, signature: signature, ignored: [], threads: 2).mismatches
  }

  /// The sample's model in a directory of its own.
  private func copy() throws -> String {
    for name in ["config.json", "weights/w.bin"] {
      try directory.write(try Fixtures.bytes(Self.model + "/" + name), to: "model/" + name)
    }
    return directory.file("model")
  }

  @Test func thatOfAnotherProgramHolds() throws {
    let statement = try ModelSignature.statement(of: Self.signature, key: Self.publicKey)
    #expect(statement.name == "model" && statement.resources.map(\.name) == ["config.json", "weights/w.bin"])
    #expect(try mismatches(of: Self.model).isEmpty)
  }

  @Test func everyKindOfMismatchIsFound() throws {
    let model = try copy()
    try directory.write([1], to: "model/new")
    try directory.write([1], to: "model/.gitignore")
    #expect(try mismatches(of: model) == [FileMismatch(name: "new", kind: .extra)])
    Path.remove(model + "/new")
    var bytes = try Fixtures.bytes(model + "/weights/w.bin")
    bytes[500] ^= 1
    try directory.write(bytes, to: "model/weights/w.bin")
    Path.remove(model + "/config.json")
    #expect(
      try mismatches(of: model) == [
        FileMismatch(name: "config.json", kind: .missing), FileMismatch(name: "weights/w.bin", kind: .changed),
      ])
  }

  @Test func whatIsSignedHereHolds() throws {
    let model = try copy()
    let output = directory.file("model/model.sig")
    let statement = try ModelSignature.sign(
      model, key: Self.sample + "/key.pem", to: output, overwrite: false, ignored: [], followsLinks: false, threads: 1)
    #expect(statement.ignored.contains("model.sig"))
    let read = try ModelSignature.statement(of: output, key: Self.publicKey)
    #expect(read.root == statement.root && read.resources.map(\.name) == statement.resources.map(\.name))
    #expect(try mismatches(of: model, output).isEmpty)
    let other = try ModelSignature.statement(of: Self.signature, key: Self.publicKey)
    #expect(statement.root == other.root)
  }

  @Test func aSingleFileIsAModel() throws {
    let file = try directory.write([1, 2, 3], to: "m.gguf")
    let output = directory.file("m.sig")
    let statement = try ModelSignature.sign(
      file, key: Self.sample + "/key.pem", to: output, overwrite: false, ignored: [], followsLinks: false, threads: 1)
    #expect(statement.name == "m.gguf" && statement.resources.map(\.name) == ["."])
    #expect(try mismatches(of: file, output).isEmpty)
  }

  @Test func everyFlippedBitOfTheSignatureIsNoticed() throws {
    let bytes = try Fixtures.bytes(Self.signature)
    let expected = try ModelSignature.statement(of: Self.signature, key: Self.publicKey)
    var unnoticed: [Int] = []
    for position in stride(from: 0, to: bytes.count, by: 3) {
      var flipped = bytes
      flipped[position] ^= 1 << UInt8(position % 7)
      let path = try directory.write(flipped, to: "flipped.sig")
      // What isn't signed (tlogEntries, keyid) may change; what is signed may not.
      if let found = try? ModelSignature.statement(of: path, key: Self.publicKey), found != expected {
        unnoticed.append(position)
      }
    }
    #expect(unnoticed.isEmpty)
  }

  /// The sample's bundle with a member replaced.
  private func bundle(_ change: (inout SignatureBundle) -> Void) throws -> String {
    var bundle = try SignatureBundle(parsing: Fixtures.bytes(Self.signature))
    change(&bundle)
    return try directory.write(bundle.encoded, to: "changed.sig")
  }

  private func expect(_ reason: SignatureReason, _ path: String, location: SourceLocation = #_sourceLocation) {
    #expect(throws: SignatureError(reason, file: path), sourceLocation: location) {
      try ModelSignature.statement(of: path, key: Self.publicKey)
    }
  }

  @Test func otherKeysAndSignaturesAreRefused() throws {
    expect(.otherKey, try bundle { $0.hint = "00" })
    expect(.signature, try bundle { $0.payload[20] ^= 1 })
    expect(.signature, try bundle { $0.signature[20] ^= 1 })
    expect(.signature, try bundle { $0.signature = [] })
  }

  @Test func bundlesThatAreNoneAreRefused() throws {
    let text = String(decoding: try Fixtures.bytes(Self.signature), as: UTF8.self)
    func replacing(_ old: String, _ new: String) throws -> String {
      let parts = text.split(separator: old, omittingEmptySubsequences: false)
      #expect(parts.count > 1)
      return try directory.write(Array(parts.joined(separator: new).utf8), to: "replaced.sig")
    }
    expect(.bundle("mediaType"), try replacing("v0.3", "v0.4"))
    expect(.bundle("verificationMaterial.publicKey"), try replacing("publicKey", "certificate"))
    expect(.bundle("dsseEnvelope"), try replacing("dsseEnvelope", "messageSignature"))
    expect(.bundle("payloadType"), try replacing("in-toto+json", "other"))
    expect(.bundle("payload"), try replacing("\"payload\":\"", "\"payload\":\"*"))
    expect(.bundle("signatures"), try replacing("\"sig\"", "\"no\""))
    expect(.text(.unexpectedEnd(expected: "a value")), try directory.write([], to: "empty.sig"))
  }

  @Test func keysThatAreNoneAreRefused() throws {
    #expect(throws: KeyError.self) {
      try ModelSignature.statement(of: Self.signature, key: Self.sample + "/README.md")
    }
    #expect(throws: KeyError.self) { try EllipticKey(Self.publicKey, isPrivate: true) }
  }
}
