extension Array where Element == UInt8 {
  /// Appends a string as JSON, quoted. Escaped are the quote, the backslash and control characters below 0x20 (the
  /// short forms `\b \t \n \f \r` where there is one, else `\u00xx` in lower case), as serde_json does; with
  /// `asciiOnly` also 0x7F and all non-ASCII, as UTF-16 code units, as Python's json does.
  public mutating func appendJSON(_ string: String, asciiOnly: Bool = false) {
    append(UInt8(ascii: "\""))
    if asciiOnly {
      for scalar in string.unicodeScalars {
        if scalar.value < 0x7F {
          appendJSONEscaping(UInt8(scalar.value))
        } else {
          for unit in UTF16.encode(scalar) ?? UTF16.encodedReplacementCharacter { appendJSONCodeUnit(unit) }
        }
      }
    } else {
      for byte in string.utf8 { appendJSONEscaping(byte) }
    }
    append(UInt8(ascii: "\""))
  }

  private mutating func appendJSONEscaping(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(contentsOf: [UInt8(ascii: "\\"), byte])
    case 0x08: append(contentsOf: "\\b".utf8)
    case 0x09: append(contentsOf: "\\t".utf8)
    case 0x0A: append(contentsOf: "\\n".utf8)
    case 0x0C: append(contentsOf: "\\f".utf8)
    case 0x0D: append(contentsOf: "\\r".utf8)
    case 0..<0x20: appendJSONCodeUnit(UInt16(byte))
    default: append(byte)
    }
  }

  private mutating func appendJSONCodeUnit(_ unit: UInt16) {
    append(contentsOf: "\\u".utf8)
    let digits = Array("0123456789abcdef".utf8)
    for shift in [12, 8, 4, 0] { append(digits[Int(unit >> UInt16(shift)) & 15]) }
  }
}
