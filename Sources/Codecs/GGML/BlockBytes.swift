/// Fields of a block, little-endian, at byte offsets from its start.
extension UnsafeRawBufferPointer {
  func u16(_ offset: Int) -> UInt16 { UInt16(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self)) }

  func u32(_ offset: Int) -> UInt32 { UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }

  func i8(_ offset: Int) -> Int8 { Int8(bitPattern: self[offset]) }

  /// An F16 as F32, which is exact.
  func half(_ offset: Int) -> Float { Float(Float16(bitPattern: u16(offset))) }

  /// An F32.
  func single(_ offset: Int) -> Float { Float(bitPattern: u32(offset)) }

  /// Four bits of the byte at `offset`: the low ones for 0, the high ones for 1.
  func nibble(_ offset: Int, _ half: Int) -> Int { Int(self[offset] >> UInt8(4 * half)) & 15 }

  /// Two bits of the byte at `offset`, pair 0 being the lowest.
  func pair(_ offset: Int, _ pair: Int) -> Int { Int(self[offset] >> UInt8(2 * pair)) & 3 }

  /// Bit `index` of the bytes from `offset` on.
  func bit(_ offset: Int, _ index: Int) -> Int { Int(self[offset + index / 8] >> UInt8(index % 8)) & 1 }
}

/// What a block decodes to: its elements, in order.
typealias BlockValues = UnsafeMutableBufferPointer<Float>

/// Decodes one block. Every bit pattern decodes to something.
typealias BlockDecoder = @Sendable (_ block: UnsafeRawBufferPointer, _ values: BlockValues) -> Void
