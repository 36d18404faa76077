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

extension UnsafeMutableRawBufferPointer {
  func putU16(_ value: UInt16, _ offset: Int) {
    storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt16.self)
  }

  /// The nearest F16, ties to even; infinity where F16 ends.
  func putHalf(_ value: Float, _ offset: Int) { putU16(Float16(value).bitPattern, offset) }

  /// What `putHalf` left there.
  func half(_ offset: Int) -> Float { UnsafeRawBufferPointer(self).half(offset) }
}

/// A block's room in the output.
typealias BlockBytes = UnsafeMutableRawBufferPointer

/// The codes of a block before they are packed, one a byte.
typealias BlockCodes = UnsafeMutableBufferPointer<UInt8>

/// The elements of a block to be encoded.
typealias BlockInput = UnsafeBufferPointer<Float>

/// How much each element of a block matters.
struct BlockImportance {
  /// Of each element: the mean square of what it is multiplied with.
  var weights: UnsafeBufferPointer<Float>
  /// Mean of the squares of the row that the block is of, summed in order in F32.
  var rowEnergy: Float
}

/// Encodes one block of finite values.
typealias BlockEncoder = @Sendable (_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) -> Void

extension UnsafeBufferPointer<Float> {
  /// A run of elements, counted from 0.
  func part(_ start: Int, _ count: Int) -> UnsafeBufferPointer<Float> {
    UnsafeBufferPointer(rebasing: self[start..<start + count])
  }

  /// Sum of squares, in order.
  var energy: Float { reduce(0) { $0 + $1 * $1 } }

  /// The first of the elements with the largest magnitude; 0 if all are 0.
  var peak: Float {
    var peak: Float = 0
    for value in self where peak.magnitude < value.magnitude { peak = value }
    return peak
  }
}

extension UnsafeMutableBufferPointer<UInt8> {
  func part(_ start: Int, _ count: Int) -> UnsafeMutableBufferPointer<UInt8> {
    UnsafeMutableBufferPointer(rebasing: self[start..<start + count])
  }
}
