import ByteIO
import JSON
import Manifests
import TestSupport
import Testing

@testable import Signing

/// Statements that are signed and yet can't be right.
@Suite struct StatementTests {
  private static let digest = [UInt8](repeating: 7, count: 32)

  private func statement(_ names: [String]) -> SignedStatement {
    SignedStatement(
      name: "m", resources: names.map { FileDigest(name: $0, size: 0, sha256: Self.digest) }, ignored: [".git"],
      followsLinks: false)
  }

  private func expect(_ reason: SignatureReason, _ bytes: [UInt8], location: SourceLocation = #_sourceLocation) {
    #expect(throws: reason, sourceLocation: location) { try SignedStatement(parsing: bytes) }
  }

  private func replacing(_ old: String, _ new: String) -> [UInt8] {
    let text = String(decoding: statement(["a", "b"]).encoded, as: UTF8.self)
    return Array(text.split(separator: old, omittingEmptySubsequences: false).joined(separator: new).utf8)
  }

  @Test func aStatementComesBack() throws {
    let statement = statement(["a", "b/c"])
    #expect(try SignedStatement(parsing: statement.encoded) == statement)
  }

  @Test func namesThatLeaveTheModelAreRefused() {
    for name in ["../a", "/a", "a/../b", "", "a\\b", "."] { expect(.name(name), statement(["z", name]).encoded) }
    expect(.name("a"), statement(["a", "a"]).encoded)
  }

  @Test func membersThatAreWrongAreRefused() {
    expect(.statement("_type"), replacing("Statement/v1", "Statement/v0.1"))
    expect(.statement("predicateType"), replacing("signature/v1.0", "signature/v2.0"))
    expect(.statement("subject"), replacing("subject", "subjects"))
    expect(.statement("resources"), replacing("resources", "files"))
    expect(.statement("resources"), replacing("0707", "07"))
    expect(.statement("serialization"), replacing("serialization", "how"))
    expect(.unsupported("the serialization 'shards'"), replacing("\"files\"", "\"shards\""))
    expect(.unsupported("the digest 'blake3'"), replacing("\"hash_type\": \"sha256\"", "\"hash_type\": \"blake3\""))
    expect(.root, replacing("\"digest\": \"07", "\"digest\": \"08"))
  }
}
