import Pipeline

/// Decompressors for threads to borrow, so that each context is made once and used again.
public final class DecompressorPool: Sendable {
  private struct Context: @unchecked Sendable {
    // In the pool nobody uses it; outside, one thread does.
    let decompressor: ZstdDecompressor
  }

  private let idle = Lock<[Context]>([])

  public init() {}

  /// As `ZstdDecompressor` does it.
  public func decompress(
    _ frame: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) throws(CompressionError) {
    let context = try borrow()
    defer { idle.withLock { $0.append(context) } }
    try context.decompressor.decompress(frame, into: target)
  }

  /// As `ZstdDecompressor` does it.
  public func decompress(_ frame: UnsafeRawBufferPointer, exactly size: Int) throws(CompressionError) -> [UInt8] {
    let context = try borrow()
    defer { idle.withLock { $0.append(context) } }
    return try context.decompressor.decompress(frame, exactly: size)
  }

  private func borrow() throws(CompressionError) -> Context {
    if let idle = idle.withLock({ $0.popLast() }) { return idle }
    return Context(decompressor: try ZstdDecompressor())
  }
}
