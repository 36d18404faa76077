#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Bytes on the heap at a 128-byte boundary, freed with the object: room for one piece of work.
public final class ByteBuffer: @unchecked Sendable {
  // A piece of work owns its buffer; it is handed on, never shared.
  public let bytes: UnsafeMutableRawBufferPointer

  public init(count: Int) {
    bytes = .allocate(byteCount: count, alignment: 128)
  }

  deinit { bytes.deallocate() }

  public var count: Int { bytes.count }

  /// The first `count` bytes, or as many as there are.
  public func prefix(_ count: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[..<min(count, bytes.count)])
  }
}

/// True if two runs of bytes are the same.
public func bytesAreEqual(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> Bool {
  guard a.count == b.count else { return false }
  guard let x = a.baseAddress, let y = b.baseAddress else { return true }
  return memcmp(x, y, a.count) == 0
}
