#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Bytes on the heap at a 128-byte boundary, given back with the object: room for one piece of work. The bytes are lent
/// to a closure, as the object may be gone once nothing refers to it any more. Large ones come from `BufferPool`.
public final class ByteBuffer: @unchecked Sendable {
  // A piece of work owns its buffer; it is handed on, never shared.
  private let room: UnsafeMutableRawBufferPointer
  private let storage: UnsafeMutableRawBufferPointer

  public init(count: Int) {
    room = BufferPool.take(count)
    storage = UnsafeMutableRawBufferPointer(rebasing: room[..<count])
  }

  /// Bytes that are zero.
  public convenience init(zeros count: Int) {
    self.init(count: count)
    if let start = storage.baseAddress { memset(start, 0, count) }
  }

  /// A copy of some bytes, and zeros behind them.
  public convenience init(copying bytes: UnsafeRawBufferPointer, padding: Int = 0) {
    self.init(count: bytes.count + padding)
    storage.copyMemory(from: bytes)
    if let start = storage.baseAddress { memset(start + bytes.count, 0, padding) }
  }

  deinit { BufferPool.giveBack(room) }

  public var count: Int { storage.count }

  /// Lends all bytes for writing.
  public func withMutableBytes<R>(_ body: (UnsafeMutableRawBufferPointer) throws -> R) rethrows -> R {
    try withExtendedLifetime(self) { try body(storage) }
  }

  /// Lends the bytes for reading.
  public func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try withExtendedLifetime(self) { try body(UnsafeRawBufferPointer(storage)) }
  }

  /// Lends the bytes of several buffers for writing.
  public static func withMutableBytes<R>(
    of buffers: [ByteBuffer], _ body: ([UnsafeMutableRawBufferPointer]) throws -> R
  ) rethrows -> R {
    try withExtendedLifetime(buffers) { try body(buffers.map(\.storage)) }
  }
}

/// True if two runs of bytes are the same.
public func bytesAreEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
  guard a.count == b.count else { return false }
  guard let x = a.baseAddress, let y = b.baseAddress else { return true }
  return memcmp(x, y, a.count) == 0
}
