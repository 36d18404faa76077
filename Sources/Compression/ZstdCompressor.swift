import ByteIO
import CKernels
import CZstd

/// Makes zstd frames (RFC 8878) of one piece of memory each, without checksum: the containers have their own. Holds
/// libzstd's working memory, so a thread keeps one and reuses it; it must not be shared.
public final class ZstdCompressor {
  /// What libzstd looks for.
  public enum Method: Sendable, Hashable {
    /// Repetitions and skewed bytes, with more effort the higher the level: 1 to 19.
    case level(Int)
    /// Skewed bytes alone, for planes whose bytes have no order (exponents of weights): several times faster than
    /// any level, and smaller, as a repetition by chance costs more than the few bits it replaces. Bytes up to 128 are
    /// coded by a kernel of ours (reference: `HuffmanFrame`), faster than libzstd; others by libzstd.
    case huffmanOnly
  }

  private let context: OpaquePointer
  private var method: Method?
  /// Where the kernel makes its frames, and its tables.
  private var scratch = UnsafeMutableRawBufferPointer(start: nil, count: 0)
  private let workspace = UnsafeMutableRawBufferPointer.allocate(
    byteCount: Int(BALE_HUFFMAN_WORKSPACE), alignment: 64)

  public init() throws(CompressionError) {
    guard let context = ZSTD_createCCtx() else { throw .context }
    self.context = context
  }

  deinit {
    ZSTD_freeCCtx(context)
    scratch.deallocate()
    workspace.deallocate()
  }

  /// Compresses `source` into one frame at the start of `target` and returns the frame's size, or nil if the frame
  /// would not fit `target`, which then holds nothing of use: give it one byte less than `source` to get only frames
  /// that save something.
  /// The frame depends on the bytes, the method and libzstd's version alone.
  public func compress(
    _ source: UnsafeRawBufferPointer, _ method: Method, into target: UnsafeMutableRawBufferPointer
  ) throws(CompressionError) -> Int? {
    if method == .huffmanOnly, let room = Self.room(source.count), room <= target.count {
      let size = huffman(source, target)
      if size > 0 { return size }
    } else if method == .huffmanOnly, let frame = huffman(source) {
      guard frame.count <= target.count else { return nil }
      target.copyMemory(from: frame)
      return frame.count
    }
    try select(method)
    let size = ZSTD_compress2(context, target.baseAddress, target.count, source.baseAddress, source.count)
    if ZSTD_isError(size) == 0 { return size }
    if ZSTD_getErrorCode(size) == ZSTD_error_dstSize_tooSmall { return nil }
    throw .failed(String(cString: ZSTD_getErrorName(size)))
  }

  /// Compresses `source` into a frame of its own, whatever its size.
  public func compress(_ source: UnsafeRawBufferPointer, _ method: Method) throws(CompressionError) -> [UInt8] {
    Array(try lentFrame(source, method))
  }

  /// The same into a buffer.
  public func frame(_ source: UnsafeRawBufferPointer, _ method: Method) throws(CompressionError) -> ByteBuffer {
    ByteBuffer(copying: try lentFrame(source, method))
  }

  /// A frame that is valid until the next.
  private func lentFrame(
    _ source: UnsafeRawBufferPointer, _ method: Method
  ) throws(CompressionError) -> UnsafeRawBufferPointer {
    if method == .huffmanOnly, let frame = huffman(source) { return frame }
    reserve(ZSTD_compressBound(source.count))
    guard let size = try compress(source, method, into: scratch) else {
      throw .failed("no room for \(source.count) bytes")
    }
    return UnsafeRawBufferPointer(rebasing: scratch[..<size])
  }

  /// The kernel's frame, valid until the next; nil for bytes that don't suit it.
  private func huffman(_ source: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard let room = Self.room(source.count) else { return nil }
    reserve(room)
    let size = huffman(source, scratch)
    return size == 0 ? nil : UnsafeRawBufferPointer(rebasing: scratch[..<size])
  }

  /// The size of the kernel's frame at the start of `target`; 0 for bytes that don't suit it.
  private func huffman(_ source: UnsafeRawBufferPointer, _ target: UnsafeMutableRawBufferPointer) -> Int {
    bale_huffman_frame(source.baseAddress, source.count, target.baseAddress, target.count, workspace.baseAddress)
  }

  /// Room in which a frame is made without a copy, by `.huffmanOnly`: 11 bits for each of eight, and 256 bytes.
  public static func room(_ count: Int) -> Int? { count < 1 << 31 ? 2 * count + 256 : nil }

  private func reserve(_ count: Int) {
    guard scratch.count < count else { return }
    scratch.deallocate()
    scratch = .allocate(byteCount: count, alignment: 64)
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
