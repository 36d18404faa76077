import CZstd

/// Reads zstd frames whose content size is known beforehand. Holds libzstd's working memory, so a thread keeps one and
/// reuses it; it must not be shared.
public final class ZstdDecompressor {
  /// The largest window of a frame that is accepted, zstd's own default for decoders.
  public static let maximumWindow: UInt64 = 1 << 27

  private let context: OpaquePointer

  public init() throws(CompressionError) {
    guard let context = ZSTD_createDCtx() else { throw .context }
    self.context = context
  }

  deinit { ZSTD_freeDCtx(context) }

  /// Fills `target` exactly with the content of `frame`, which must be one frame and nothing else. All that the headers
  /// tell is checked before the first byte is decoded, and nothing is allocated for the content: throws
  /// `CompressionError` on a frame that says or turns out to be larger or smaller, has a dictionary or a larger window
  /// than `maximumWindow`, is cut, or has bytes behind it. What `target` holds after an error is undefined.
  public func decompress(
    _ frame: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) throws(CompressionError) {
    let header = try ZstdFrameHeader(parsing: frame)
    if let declared = header.contentSize, declared != UInt64(target.count) {
      throw .contentSize(expected: target.count, declared: declared)
    }
    guard header.window <= Self.maximumWindow else { throw .window(header.window) }
    let length = ZSTD_findFrameCompressedSize(frame.baseAddress, frame.count)
    if ZSTD_isError(length) != 0 { throw Self.refused(length) }
    guard length == frame.count else { throw .trailing(frame: length, found: frame.count) }
    let size = ZSTD_decompressDCtx(context, target.baseAddress, target.count, frame.baseAddress, frame.count)
    if ZSTD_isError(size) != 0 { throw Self.refused(size) }
    guard size == target.count else { throw .decodedSize(expected: target.count, found: size) }
  }

  /// The content of `frame`, known to be `size` bytes. `size` must be bounded by the caller: it is allocated.
  public func decompress(_ frame: UnsafeRawBufferPointer, exactly size: Int) throws(CompressionError) -> [UInt8] {
    var content = [UInt8](repeating: 0, count: size)
    var result: Result<Void, CompressionError> = .success(())
    content.withUnsafeMutableBytes { target in
      result = Result { () throws(CompressionError) in try decompress(frame, into: target) }
    }
    try result.get()
    return content
  }

  private static func refused(_ result: Int) -> CompressionError {
    ZSTD_getErrorCode(result) == ZSTD_error_srcSize_wrong
      ? .truncated : .damaged(String(cString: ZSTD_getErrorName(result)))
  }
}
