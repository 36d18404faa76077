/// How a value is stored as its difference from another: specs/codecs/delta.md.
public enum DifferenceOperation: String, Sendable, CaseIterable {
  /// The bits that differ.
  case xor
  /// The difference of the codes as integers, its sign moved to the lowest bit.
  case sub
}

/// Differences of codes of `Code`'s width.
///
/// The result is rotated right by one bit, as `SplitCodec` rotates left before it cuts bytes: of an `xor` the exponent
/// then comes first, of a `sub` the high bits.
enum Difference<Code: FixedWidthInteger & UnsignedInteger> {
  private static var top: Code { Code(Code.bitWidth - 1) }

  /// The difference of a source's codes from a base's, in place of the source's.
  static func make(
    _ operation: DifferenceOperation, of source: UnsafeMutableRawBufferPointer, from base: UnsafeRawBufferPointer
  ) {
    let codes = source.bindMemory(to: Code.self)
    let other = base.bindMemory(to: Code.self)
    switch operation {
    case .xor: for index in codes.indices { codes[index] ^= other[index] }
    case .sub:
      for index in codes.indices {
        let difference = codes[index] &- other[index]
        let folded = difference &<< 1 ^ (0 &- difference &>> top)
        codes[index] = folded &>> 1 | folded &<< top
      }
    }
  }

  /// The source's codes, in place of the differences.
  static func undo(
    _ operation: DifferenceOperation, of words: UnsafeMutableRawBufferPointer, from base: UnsafeRawBufferPointer
  ) {
    let codes = words.bindMemory(to: Code.self)
    let other = base.bindMemory(to: Code.self)
    switch operation {
    case .xor: for index in codes.indices { codes[index] ^= other[index] }
    case .sub:
      for index in codes.indices {
        let folded = codes[index] &<< 1 | codes[index] &>> top
        codes[index] = other[index] &+ (folded &>> 1 ^ (0 &- (folded & 1)))
      }
    }
  }
}
