import Codecs
import Tensors

/// Looks for infinities and NaNs in plain values, which no model that is to be run may have.
enum FiniteCheck {
  /// True for the plain types that are looked at.
  static func applies(to codec: any Codec) -> Bool {
    [.f16, .bf16, .f32, .f64].contains((codec as? PlainCodec)?.dtype)
  }

  /// Throws `CodecError.unencodable` for the first value of a run that isn't finite.
  /// - Parameter start: the place of the run's first element in the tensor, for the error.
  static func run(_ bytes: UnsafeRawBufferPointer, as codec: any Codec, at start: Int) throws(CodecError) {
    guard let dtype = (codec as? PlainCodec)?.dtype, let index = firstNonFinite(bytes, dtype) else { return }
    let size = dtype.bits / 8
    let element = UnsafeRawBufferPointer(rebasing: bytes[index * size..<(index + 1) * size])
    var value: [Float] = [.nan]
    value.withUnsafeMutableBufferPointer { try? Elements.decode(dtype, element, into: $0) }
    throw .unencodable(codec: codec.shortName, element: start + index, value: value[0])
  }

  private static func firstNonFinite(_ bytes: UnsafeRawBufferPointer, _ dtype: DType) -> Int? {
    switch dtype {
    case .f16: first(bytes.bindMemory(to: UInt16.self), 0x7C00)
    case .bf16: first(bytes.bindMemory(to: UInt16.self), 0x7F80)
    case .f32: first(bytes.bindMemory(to: UInt32.self), 0x7F80_0000)
    case .f64: first(bytes.bindMemory(to: UInt64.self), 0x7FF0_0000_0000_0000)
    default: nil
    }
  }

  /// The first word whose exponent is all ones. The words are gone over without a branch, which vectorizes, and again
  /// only if there is one.
  @inline(__always)
  private static func first<Word: FixedWidthInteger>(_ words: UnsafeBufferPointer<Word>, _ exponent: Word) -> Int? {
    var found: Word = 0
    for word in words { found |= word & exponent == exponent ? 1 : 0 }
    return found == 0 ? nil : words.firstIndex { $0 & exponent == exponent }
  }
}
