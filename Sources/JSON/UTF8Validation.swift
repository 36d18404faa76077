/// Offset of the first byte that does not belong to well-formed UTF-8 (Unicode 16, table 3-7), or nil.
func firstInvalidUTF8(in bytes: UnsafeRawBufferPointer) -> Int? {
  var position = 0
  while position < bytes.count {
    if position + 8 <= bytes.count,
      bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
    {
      position += 8
    } else if bytes[position] < 0x80 {
      position += 1
    } else {
      let length = multibyteLength(in: bytes, at: position)
      if length == 0 { return position }
      position += length
    }
  }
  return nil
}

/// Length of the well-formed sequence of two to four bytes at `position`; 0 if there is none.
private func multibyteLength(in bytes: UnsafeRawBufferPointer, at position: Int) -> Int {
  let length: Int
  var second: ClosedRange<UInt8> = 0x80...0xBF
  switch bytes[position] {
  case 0xC2...0xDF: length = 2
  case 0xE0: (length, second) = (3, 0xA0...0xBF)
  case 0xED: (length, second) = (3, 0x80...0x9F)
  case 0xE1...0xEF: length = 3
  case 0xF0: (length, second) = (4, 0x90...0xBF)
  case 0xF4: (length, second) = (4, 0x80...0x8F)
  case 0xF1...0xF3: length = 4
  default: return 0
  }
  guard bytes.count - position >= length, second.contains(bytes[position + 1]) else { return 0 }
  for next in position + 2..<max(position + 2, position + length) where bytes[next] & 0xC0 != 0x80 { return 0 }
  return length
}
