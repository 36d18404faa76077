#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A string of a JSON text, where it stands. Valid only while the text is.
public struct JSONStringToken {
  /// What stands between the quotes.
  let bytes: UnsafeRawBufferPointer
  let hasEscapes: Bool

  /// The string, its escapes resolved.
  public var string: String {
    guard hasEscapes else { return String(decoding: bytes, as: UTF8.self) }
    var decoded: [UInt8] = []
    decoded.reserveCapacity(bytes.count)
    var position = 0
    while position < bytes.count {
      // The scanner has checked every escape already.
      if bytes[position] == UInt8(ascii: "\\"), let escape = try? JSONEscape(in: bytes, at: position) {
        decoded.append(contentsOf: Unicode.UTF8.encode(escape.scalar) ?? Unicode.UTF8.encodedReplacementCharacter)
        position += escape.length
      } else {
        decoded.append(bytes[position])
        position += 1
      }
    }
    return String(decoding: decoded, as: UTF8.self)
  }

  /// True if the string, its escapes resolved, is `text`.
  public func matches(_ text: StaticString) -> Bool {
    if hasEscapes { return ExactString(string) == ExactString(text.description) }
    guard bytes.count == text.utf8CodeUnitCount else { return false }
    guard let start = bytes.baseAddress else { return true }
    return memcmp(start, text.utf8Start, bytes.count) == 0
  }
}

/// A number of a JSON text, where it stands. Valid only while the text is.
public struct JSONNumberToken {
  let bytes: UnsafeRawBufferPointer
  /// True if it is written with neither fraction nor exponent.
  public let isInteger: Bool

  /// Bytes that it takes in the text.
  public var length: Int { bytes.count }

  /// The number as it is written.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  /// The value of an integer without a sign that fits 64 bits; nil for any other number, "-0" too.
  public var unsigned: UInt64? {
    guard isInteger else { return nil }
    var value: UInt64 = 0
    for byte in bytes {
      guard isDigit(byte) else { return nil }
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
      if overflow || carry { return nil }
      value = sum
    }
    return value
  }

  /// The nearest Double, infinite if the number is too large.
  public var double: Double { Double(text) ?? .infinity }

  /// False for numbers that a Double holds for certain: no exponent and no more digits than 1e308 has.
  var mayExceedDouble: Bool { !isInteger || bytes.count > 308 }
}
