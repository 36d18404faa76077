import ByteIO
import CCrypto

/// An elliptic-curve key in a PEM file, used through libcrypto: P-256, P-384 or P-521 (FIPS 186-5).
final class EllipticKey {
  private let key: OpaquePointer
  private let digest: OpaquePointer?

  /// Reads a key. Nobody is asked for a password: the closures answer with none. Throws `IOError` and `KeyError`.
  /// - Parameter isPrivate: true for a key to sign with, false for one to check with.
  init(_ path: String, isPrivate: Bool) throws {
    let input = try InputFile(path)
    let bytes = try input.bytes(0..<min(input.size, 1 << 16))
    guard let memory = BIO_new_mem_buf(bytes, Int32(bytes.count)) else {
      throw KeyError(path: path, reason: "libcrypto has no memory")
    }
    defer { BIO_free(memory) }
    let key =
      isPrivate
      ? PEM_read_bio_PrivateKey(memory, nil, { _, _, _, _ in 0 }, nil)
      : PEM_read_bio_PUBKEY(memory, nil, { _, _, _, _ in 0 }, nil)
    guard let key else {
      throw KeyError(path: path, reason: "not a \(isPrivate ? "private" : "public") key in PEM without a password")
    }
    guard EVP_PKEY_get_base_id(key) == EVP_PKEY_EC, let digest = Self.digest(bits: EVP_PKEY_get_bits(key)) else {
      EVP_PKEY_free(key)
      throw KeyError(path: path, reason: "not a key on the curves P-256, P-384 and P-521")
    }
    self.key = key
    self.digest = digest
  }

  deinit { EVP_PKEY_free(key) }

  private static func digest(bits: Int32) -> OpaquePointer? {
    switch bits {
    case 256: EVP_sha256()
    case 384: EVP_sha384()
    case 521: EVP_sha512()
    default: nil
    }
  }

  /// SHA-256 of the public key as PEM, in hexadecimal: how a bundle names the key.
  var hint: String {
    guard let memory = BIO_new(BIO_s_mem()) else { return "" }
    defer { BIO_free(memory) }
    PEM_write_bio_PUBKEY(memory, key)
    var bytes = [UInt8](repeating: 0, count: 1 << 12)
    let count = BIO_read(memory, &bytes, Int32(bytes.count))
    return hexadecimal(SHA256.digest(Array(bytes.prefix(max(0, Int(count))))))
  }

  /// An ECDSA signature in DER over the digest of the message; nil if libcrypto fails.
  func sign(_ message: [UInt8]) -> [UInt8]? {
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    var count = 0
    guard EVP_DigestSignInit(context, nil, digest, nil, key) == 1,
      EVP_DigestSign(context, nil, &count, message, message.count) == 1
    else { return nil }
    var signature = [UInt8](repeating: 0, count: count)
    guard EVP_DigestSign(context, &signature, &count, message, message.count) == 1 else { return nil }
    return Array(signature.prefix(count))
  }

  /// True if the signature is one of the message by this key.
  func isValid(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    return EVP_DigestVerifyInit(context, nil, digest, nil, key) == 1
      && EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
  }
}
