/// One escape of a JSON string: a backslash and what belongs to it.
struct JSONEscape {
  let scalar: Unicode.Scalar
  /// Bytes it takes in the text: 2, 6, or 12 for a pair of surrogates.
  let length: Int

  /// Reads the escape whose backslash stands at `position`.
  init(in bytes: UnsafeRawBufferPointer, at position: Int) throws(JSONError) {
    guard position + 1 < bytes.count else { throw JSONError(.unexpectedEnd(expected: "an escape"), offset: position) }
    if bytes[position + 1] == UInt8(ascii: "u") {
      (scalar, length) = try Self.unicode(in: bytes, at: position)
    } else {
      guard let byte = Self.short(bytes[position + 1]) else { throw JSONError(.invalidEscape, offset: position) }
      (scalar, length) = (Unicode.Scalar(byte), 2)
    }
  }

  private static func short(_ letter: UInt8) -> UInt8? {
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: nil
    }
  }

  private static func unicode(
    in bytes: UnsafeRawBufferPointer, at position: Int
  ) throws(JSONError) -> (Unicode.Scalar, Int) {
    guard let high = codeUnit(in: bytes, at: position) else { throw JSONError(.invalidEscape, offset: position) }
    if let scalar = Unicode.Scalar(high) { return (scalar, 6) }
    guard high < 0xDC00, let low = codeUnit(in: bytes, at: position + 6), 0xDC00...0xDFFF ~= low,
      let scalar = Unicode.Scalar(0x10000 + UInt32(high - 0xD800) << 10 + UInt32(low - 0xDC00))
    else { throw JSONError(.loneSurrogate, offset: position) }
    return (scalar, 12)
  }

  /// The UTF-16 code unit of a `\uXXXX` at `position`, or nil if none stands there.
  private static func codeUnit(in bytes: UnsafeRawBufferPointer, at position: Int) -> UInt16? {
    guard position + 6 <= bytes.count, bytes[position] == UInt8(ascii: "\\"), bytes[position + 1] == UInt8(ascii: "u")
    else { return nil }
    var unit: UInt16 = 0
    for index in position + 2..<position + 6 {
      guard let digit = hexadecimalDigit(bytes[index]) else { return nil }
      unit = unit << 4 | UInt16(digit)
    }
    return unit
  }

  private static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
