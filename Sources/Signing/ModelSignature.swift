import ByteIO
import Manifests

/// Signing a model, and checking one against its signature, with a key of one's own and without a network.
public enum ModelSignature {
  /// Told the bytes digested and those there are in all, from any thread.
  public typealias Progress = @Sendable (_ done: Int, _ total: Int) -> Void

  /// Signs a model: a directory or a file. Throws `IOError`, `SourceChanged` and `KeyError`.
  /// - Parameters:
  ///   - key: a private key in PEM.
  ///   - output: the signature to write; one in the model's directory isn't part of the model.
  ///   - ignored: names in the model that are not signed.
  public static func sign(
    _ model: String, key: String, to output: String, overwrite: Bool, ignored: [String], followsLinks: Bool,
    threads: Int, onProgress: @escaping Progress = { _, _ in }
  ) throws -> SignedStatement {
    let key = try EllipticKey(key, isPrivate: true)
    let ignored = ignored + ModelFiles.gitNames + [ModelFiles.name(of: output, in: model)].compactMap { $0 }
    let files = try ModelFiles(of: model, ignored: ignored, followsLinks: followsLinks)
    let file = try OutputFile(output, overwrite: overwrite)
    let statement = SignedStatement(
      name: Path.name(of: model), resources: try DigestJob(files.files).run(threads: threads, onProgress: onProgress),
      ignored: ignored, followsLinks: followsLinks)
    let payload = statement.encoded
    guard let signature = key.sign(SignatureBundle.message(payload)) else {
      throw KeyError(path: output, reason: "libcrypto couldn't sign")
    }
    let bytes = SignatureBundle(hint: key.hint, payload: payload, signature: signature).encoded
    try file.write(bytes, at: 0)
    try file.commit(length: bytes.count)
    return statement
  }

  /// What a signature says, if it holds. Throws `SignatureError`, `IOError` and `KeyError`.
  /// - Parameter key: a public key in PEM.
  public static func statement(of signature: String, key: String) throws -> SignedStatement {
    let input = try InputFile(signature)
    let bytes = try input.bytes(0..<input.size)
    let key = try EllipticKey(key, isPrivate: false)
    do throws(SignatureReason) {
      let bundle = try SignatureBundle(parsing: bytes)
      guard bundle.hint.isEmpty || bundle.hint == key.hint else { throw SignatureReason.otherKey }
      guard key.isValid(bundle.signature, of: SignatureBundle.message(bundle.payload)) else {
        throw SignatureReason.signature
      }
      return try SignedStatement(parsing: bundle.payload)
    } catch {
      throw SignatureError(error, file: signature)
    }
  }

  /// How a model differs from what a signature says, nothing if it is what was signed, and the bytes that were read.
  /// - Parameters:
  ///   - signature: where the signature lies; one in the model's directory isn't part of the model.
  ///   - ignored: names that are not looked at beside those that the signature leaves out.
  public static func mismatches(
    of model: String, _ statement: SignedStatement, signature: String, ignored: [String], threads: Int,
    onProgress: @escaping Progress = { _, _ in }
  ) throws -> (mismatches: [FileMismatch], bytes: Int) {
    let ignored = ignored + statement.ignored + [ModelFiles.name(of: signature, in: model)].compactMap { $0 }
    let files = try ModelFiles(of: model, ignored: ignored, followsLinks: statement.followsLinks)
    let found = try DigestJob(files.files).run(threads: threads, onProgress: onProgress)
    return (FileMismatch.all(expected: statement.resources, found: found), found.reduce(0) { $0 + $1.size })
  }
}
