/// A checked cursor over bytes in memory. No read goes past the end; a read that would gives nil and does not move.
public struct ByteCursor: Sendable {
  public let bytes: [UInt8]
  /// Index in `bytes` of the next byte to read.
  public private(set) var position: Int

  public init(_ bytes: [UInt8]) {
    self.bytes = bytes
    self.position = 0
  }

  @inlinable public var remaining: Int { bytes.count - position }

  /// The next integer, little-endian unless `bigEndian`.
  @inlinable public mutating func integer<T: FixedWidthInteger>(
    _: T.Type = T.self, bigEndian: Bool = false
  ) -> T? {
    let size = MemoryLayout<T>.size
    guard remaining >= size else { return nil }
    let raw = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: position, as: T.self) }
    advance(size)
    return bigEndian ? T(bigEndian: raw) : T(littleEndian: raw)
  }

  /// The next `count` bytes.
  @inlinable public mutating func slice(_ count: Int) -> ArraySlice<UInt8>? {
    guard count >= 0, count <= remaining else { return nil }
    defer { advance(count) }
    return bytes[position..<position + count]
  }

  /// Moves past `count` bytes; false, and no move, if there are fewer.
  @inlinable public mutating func skip(_ count: Int) -> Bool {
    guard count >= 0, count <= remaining else { return false }
    advance(count)
    return true
  }

  @usableFromInline mutating func advance(_ count: Int) { position += count }
}
