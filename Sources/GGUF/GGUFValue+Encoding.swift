import ByteIO

extension GGUFValue {
  /// Appends the value as a little-endian file holds it, without its type.
  func append(to bytes: inout [UInt8]) {
    switch self {
    case .uint8(let value): bytes.append(littleEndian: value)
    case .int8(let value): bytes.append(littleEndian: value)
    case .uint16(let value): bytes.append(littleEndian: value)
    case .int16(let value): bytes.append(littleEndian: value)
    case .uint32(let value): bytes.append(littleEndian: value)
    case .int32(let value): bytes.append(littleEndian: value)
    case .float32(let value): bytes.append(littleEndian: value.bitPattern)
    case .bool(let value): bytes.append(value ? 1 : 0)
    case .string(let value): bytes.append(ggufString: value.bytes)
    case .array(let value): value.append(to: &bytes)
    case .uint64(let value): bytes.append(littleEndian: value)
    case .int64(let value): bytes.append(littleEndian: value)
    case .float64(let value): bytes.append(littleEndian: value.bitPattern)
    }
  }
}

/// Values are equal if they are written as the same bytes: NaNs by their bits, 0 and -0 apart.
extension GGUFValue: Equatable {
  public static func == (left: GGUFValue, right: GGUFValue) -> Bool {
    guard left.type == right.type else { return false }
    var leftBytes: [UInt8] = []
    var rightBytes: [UInt8] = []
    left.append(to: &leftBytes)
    right.append(to: &rightBytes)
    return leftBytes == rightBytes
  }
}

extension GGUFArray {
  /// Appends element type, count and elements; an array of arrays is followed by its arrays in order.
  func append(to bytes: inout [UInt8]) {
    var pending = [self]
    while let array = pending.popLast() {
      bytes.append(littleEndian: array.elementType.rawValue)
      bytes.append(littleEndian: UInt64(array.count))
      if case .array(let inner) = array { pending += inner.reversed() } else { array.appendElements(to: &bytes) }
    }
  }

  /// The elements of an array of anything but arrays.
  private func appendElements(to bytes: inout [UInt8]) {
    switch self {
    case .uint8(let values): bytes += values
    case .int8(let values): bytes += values.lazy.map { UInt8(bitPattern: $0) }
    case .uint16(let values): bytes.append(littleEndian: values)
    case .int16(let values): bytes.append(littleEndian: values)
    case .uint32(let values): bytes.append(littleEndian: values)
    case .int32(let values): bytes.append(littleEndian: values)
    case .float32(let values): bytes.append(littleEndian: values.lazy.map(\.bitPattern))
    case .bool(let values): bytes += values.lazy.map { $0 ? 1 : 0 }
    case .string(let values): for string in values { bytes.append(ggufString: string) }
    case .array: break
    case .uint64(let values): bytes.append(littleEndian: values)
    case .int64(let values): bytes.append(littleEndian: values)
    case .float64(let values): bytes.append(littleEndian: values.lazy.map(\.bitPattern))
    }
  }
}

extension GGUFArray: Equatable {
  public static func == (left: GGUFArray, right: GGUFArray) -> Bool {
    GGUFValue.array(left) == GGUFValue.array(right)
  }
}

extension Array where Element == UInt8 {
  mutating func append(littleEndian values: some Collection<some FixedWidthInteger>) {
    for value in values { append(littleEndian: value) }
  }

  /// Appends a string as the file holds it: its length, then its bytes.
  mutating func append(ggufString string: some Collection<UInt8>) {
    append(littleEndian: UInt64(string.count))
    append(contentsOf: string)
  }
}
