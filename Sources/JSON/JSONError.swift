import ByteIO

/// What is wrong with a JSON text. The grammar is RFC 8259, read strictly.
public enum JSONReason: FaultReason {
  /// The bytes are not UTF-8: stray, overlong, a surrogate, above U+10FFFF, or cut short.
  case invalidUTF8
  /// The text ends where `expected` should stand.
  case unexpectedEnd(expected: String)
  /// A byte that can't stand here.
  case unexpectedByte(UInt8, expected: String)
  /// Something other than white space follows the value.
  case trailingBytes
  /// A raw control character (below 0x20) in a string.
  case controlCharacter(UInt8)
  /// A backslash followed by something that is no escape.
  case invalidEscape
  /// An escaped surrogate without its partner.
  case loneSurrogate
  /// A number outside the grammar: a leading zero or plus, no digit before or after the point or in the exponent.
  case invalidNumber
  /// A number whose magnitude no Double holds, where the reader asked for that to be refused.
  case numberOutOfRange
  /// Arrays and objects nested deeper than `limit`.
  case tooDeep(limit: Int)
  /// Two members of one object with the same key.
  case duplicateKey(String)
  /// A value of another kind than the one that was asked for.
  case wrongKind(expected: JSONKind, found: JSONKind)

  public var description: String {
    switch self {
    case .invalidUTF8: "the text is not UTF-8"
    case .unexpectedEnd(let expected): "the text ends where \(expected) is expected"
    case .unexpectedByte(let byte, let expected): "expected \(expected), found byte 0x\(hexadecimal([byte]))"
    case .trailingBytes: "expected the end of the text, found more after the value"
    case .controlCharacter(let byte): "raw control character 0x\(hexadecimal([byte])) in a string"
    case .invalidEscape: "invalid escape in a string"
    case .loneSurrogate: "an escaped surrogate without its partner"
    case .invalidNumber: "invalid number"
    case .numberOutOfRange: "number out of range"
    case .tooDeep(let limit): "nested deeper than \(limit) levels"
    case .duplicateKey(let key): "the key '\(key)' stands twice in one object"
    case .wrongKind(let expected, let found): "expected \(expected), found \(found)"
    }
  }
}

/// A fault of a JSON text and the byte at which it was noticed.
public struct JSONError: Error, Equatable, CustomStringConvertible {
  public var reason: JSONReason
  /// Byte offset in the text.
  public var offset: Int

  public init(_ reason: JSONReason, offset: Int) {
    self.reason = reason
    self.offset = offset
  }

  public var description: String { "byte \(offset): \(reason)" }

  /// The same, as a fault of `file`, in which the text starts at byte `start`.
  public func fault(in file: String, start: Int = 0) -> Fault<JSONReason> {
    Fault(reason, file: file, offset: start + offset)
  }
}
