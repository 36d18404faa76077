extension RandomAccessCollection<UInt8> where Index == Int {
  /// The little-endian number of `bytes` bytes (at most 8) at `position`. All of them must be there.
  @inlinable public func littleEndian(at position: Int, bytes: Int) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<bytes { value |= UInt64(self[position + index]) << UInt64(8 * index) }
    return value
  }
}
