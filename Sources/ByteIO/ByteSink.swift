/// Little-endian writing into a growing array.
extension Array where Element == UInt8 {
  @inlinable public mutating func append<T: FixedWidthInteger>(littleEndian value: T) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }

  /// Appends zeros until the count is a multiple of `alignment`.
  @inlinable public mutating func pad(to alignment: Int) {
    let remainder = count % alignment
    if remainder != 0 { append(contentsOf: repeatElement(0, count: alignment - remainder)) }
  }
}
