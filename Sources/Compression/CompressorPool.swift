import ByteIO
import Pipeline

/// Compressors for threads to borrow, so that each context is made once and used again.
public final class CompressorPool: Sendable {
  private struct Context: @unchecked Sendable {
    // In the pool nobody uses it; outside, one thread does.
    let compressor: ZstdCompressor
  }

  private let idle = Lock<[Context]>([])

  public init() {}

  /// Compresses into a frame of its own.
  public func compress(
    _ bytes: UnsafeRawBufferPointer, _ method: ZstdCompressor.Method
  ) throws(CompressionError) -> ByteBuffer {
    let context =
      if let idle = idle.withLock({ $0.popLast() }) { idle } else { Context(compressor: try ZstdCompressor()) }
    defer { idle.withLock { $0.append(context) } }
    return try context.compressor.frame(bytes, method)
  }
}
