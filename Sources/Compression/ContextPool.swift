import ByteIO
import Pipeline

/// Contexts for threads to borrow, so that each is made once and used again.
public final class ContextPool<Context>: Sendable {
  // In the pool nobody uses a context; outside, one thread does.
  private let idle = Lock<[Context]>([])
  private let make: @Sendable () throws(CompressionError) -> Context

  init(making make: @escaping @Sendable () throws(CompressionError) -> Context) { self.make = make }

  /// Lends a context that nobody uses; a new one where there is none.
  func lend<Result>(
    _ body: (Context) throws(CompressionError) -> Result
  ) throws(CompressionError) -> Result {
    let context = if let idle = idle.withLock({ $0.popLast() }) { idle } else { try make() }
    defer { idle.withLock { $0.append(context) } }
    return try body(context)
  }
}

public typealias CompressorPool = ContextPool<ZstdCompressor>

extension CompressorPool {
  public convenience init() { self.init { () throws(CompressionError) in try ZstdCompressor() } }

  /// Compresses into a frame of its own.
  public func compress(
    _ bytes: UnsafeRawBufferPointer, _ method: ZstdCompressor.Method
  ) throws(CompressionError) -> ByteBuffer {
    try lend { context throws(CompressionError) in try context.frame(bytes, method) }
  }
}

public typealias DecompressorPool = ContextPool<ZstdDecompressor>

extension DecompressorPool {
  public convenience init() { self.init { () throws(CompressionError) in try ZstdDecompressor() } }

  /// As `ZstdDecompressor` does it.
  public func decompress(
    _ frame: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) throws(CompressionError) {
    try lend { context throws(CompressionError) in try context.decompress(frame, into: target) }
  }

  /// As `ZstdDecompressor` does it.
  public func decompress(_ frame: UnsafeRawBufferPointer, exactly size: Int) throws(CompressionError) -> [UInt8] {
    try lend { context throws(CompressionError) in try context.decompress(frame, exactly: size) }
  }
}
