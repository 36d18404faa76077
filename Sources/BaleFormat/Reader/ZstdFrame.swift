import CZstd

/// zstd frames of known content size (RFC 8878).
enum ZstdFrame {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// Decodes one frame that must hold exactly `count` bytes.
  static func decode(_ frame: UnsafeRawBufferPointer, count: Int) throws(Failure) -> [UInt8] {
    guard ZSTD_getFrameContentSize(frame.baseAddress, frame.count) == UInt64(count),
      ZSTD_findFrameCompressedSize(frame.baseAddress, frame.count) == frame.count
    else { throw Failure(description: "it is not one frame of \(count) bytes") }
    var failure: String?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      let result = ZSTD_decompress(buffer.baseAddress, count, frame.baseAddress, frame.count)
      if ZSTD_isError(result) != 0 {
        failure = String(cString: ZSTD_getErrorName(result))
      } else {
        initialized = result
      }
    }
    if let failure { throw Failure(description: failure) }
    guard bytes.count == count else { throw Failure(description: "it holds \(bytes.count) bytes instead of \(count)") }
    return bytes
  }
}
