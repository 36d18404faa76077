import CZstd

/// Makes zstd frames (RFC 8878) of one piece of memory each, without checksum: the containers have their own. Holds
/// libzstd's working memory, so a thread keeps one and reuses it; it must not be shared.
public final class ZstdCompressor {
  /// What libzstd looks for.
  public enum Method: Sendable, Hashable {
    /// Repetitions and skewed bytes, with more effort the higher the level: 1 to 19.
    case level(Int)
    /// Skewed bytes alone, for planes whose bytes have no order (exponents of weights): several times faster than
    /// any level, and smaller, as a repetition by chance costs more than the few bits it replaces.
    case huffmanOnly
  }

  private let context: OpaquePointer
  private var method: Method?

  public init() throws(CompressionError) {
    guard let context = ZSTD_createCCtx() else { throw .context }
    self.context = context
  }

  deinit { ZSTD_freeCCtx(context) }

  /// Compresses `source` into one frame at the start of `target` and returns the frame's size, or nil if the frame
  /// would not fit `target`, which then holds nothing of use: give it one byte less than `source` to get only frames
  /// that save something.
  /// The frame depends on the bytes, the method and libzstd's version alone.
  public func compress(
    _ source: UnsafeRawBufferPointer, _ method: Method, into target: UnsafeMutableRawBufferPointer
  ) throws(CompressionError) -> Int? {
    try select(method)
    let size = ZSTD_compress2(context, target.baseAddress, target.count, source.baseAddress, source.count)
    if ZSTD_isError(size) == 0 { return size }
    if ZSTD_getErrorCode(size) == ZSTD_error_dstSize_tooSmall { return nil }
    throw .failed(String(cString: ZSTD_getErrorName(size)))
  }

  /// Compresses `source` into a frame of its own, whatever its size.
  public func compress(_ source: UnsafeRawBufferPointer, _ method: Method) throws(CompressionError) -> [UInt8] {
    var frame = [UInt8](repeating: 0, count: ZSTD_compressBound(source.count))
    var result: Result<Int?, CompressionError> = .success(nil)
    frame.withUnsafeMutableBytes { target in
      result = Result { () throws(CompressionError) in try compress(source, method, into: target) }
    }
    guard let size = try result.get() else { throw .failed("no room for \(source.count) bytes") }
    frame.removeLast(frame.count - size)
    return frame
  }

  private func select(_ method: Method) throws(CompressionError) {
    guard method != self.method else { return }
    self.method = nil
    try check(ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters))
    switch method {
    case .level(let level):
      try set(ZSTD_c_compressionLevel, Int32(clamping: level))
    case .huffmanOnly:
      try set(ZSTD_c_compressionLevel, ZSTD_minCLevel())
      try set(Self.literalCompressionMode, 1)
    }
    self.method = method
  }

  /// The lowest level looks for a repetition at one position a block, which is to say for none.
  /// ZSTD_c_literalCompressionMode, which zstd.h names only for static linking: 1 (ZSTD_ps_enable) keeps Huffman coding
  /// on at negative levels, which would switch it off.
  private static let literalCompressionMode = ZSTD_cParameter(rawValue: 1002)

  private func set(_ parameter: ZSTD_cParameter, _ value: Int32) throws(CompressionError) {
    try check(ZSTD_CCtx_setParameter(context, parameter, value))
  }

  private func check(_ result: Int) throws(CompressionError) {
    if ZSTD_isError(result) != 0 { throw .failed(String(cString: ZSTD_getErrorName(result))) }
  }
}
