import CCrypto
import CXXHash

/// XXH3, the fast digest: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md, seed 0.
public enum XXH3 {
  /// The 64-bit digest.
  public static func digest64(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    XXH3_64bits(bytes.baseAddress, bytes.count)
  }

  public static func digest64(_ bytes: [UInt8]) -> UInt64 {
    bytes.withUnsafeBytes { digest64($0) }
  }

  /// The 128-bit digest in its canonical, big-endian form: 16 bytes.
  public static func digest128(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    canonical(XXH3_128bits(bytes.baseAddress, bytes.count))
  }

  fileprivate static func canonical(_ hash: XXH128_hash_t) -> [UInt8] {
    withUnsafeBytes(of: hash.high64.bigEndian) { Array($0) }
      + withUnsafeBytes(of: hash.low64.bigEndian) { Array($0) }
  }
}

/// XXH3 fed piece by piece, so that bytes can be hashed while they are in the cache.
public final class XXH3Stream {
  private let state: OpaquePointer?
  private let isWide: Bool

  /// - Parameter bits: 64 or 128.
  public init(bits: Int) {
    state = XXH3_createState()
    isWide = bits == 128
    reset()
  }

  deinit { XXH3_freeState(state) }

  /// Starts over.
  public func reset() {
    _ = isWide ? XXH3_128bits_reset(state) : XXH3_64bits_reset(state)
  }

  public func update(_ bytes: UnsafeRawBufferPointer) {
    _ =
      isWide
      ? XXH3_128bits_update(state, bytes.baseAddress, bytes.count)
      : XXH3_64bits_update(state, bytes.baseAddress, bytes.count)
  }

  /// The 64-bit digest of everything since the last reset.
  public var digest64: UInt64 { XXH3_64bits_digest(state) }

  /// The 128-bit digest in its canonical form.
  public var digest128: [UInt8] { XXH3.canonical(XXH3_128bits_digest(state)) }
}

/// SHA-256 (FIPS 180-4) by libcrypto, fed piece by piece.
public final class SHA256 {
  private let context: OpaquePointer?

  public init() {
    context = EVP_MD_CTX_new()
    EVP_DigestInit_ex(context, EVP_sha256(), nil)
  }

  deinit { EVP_MD_CTX_free(context) }

  public func update(_ bytes: UnsafeRawBufferPointer) {
    EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
  }

  public func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

  /// The digest of everything so far, 32 bytes. Call it once.
  public func finish() -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: 32)
    EVP_DigestFinal_ex(context, &digest, nil)
    return digest
  }

  public static func digest(_ bytes: [UInt8]) -> [UInt8] {
    let hash = SHA256()
    hash.update(bytes)
    return hash.finish()
  }
}

/// Lower-case hexadecimal.
public func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
}
