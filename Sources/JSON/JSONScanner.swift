/// Limits of the JSON reader.
public enum JSONLimits {
  /// Deepest nesting of arrays and objects: what serde_json, and so safetensors, allows.
  public static let depth = 127
}

/// A pull reader over a JSON text in memory: the caller asks for what should come next, nothing is built.
///
/// ```
/// try scanner.enterObject()
/// while let key = try scanner.nextKey() {
///   if key.matches("shape") { ... } else { try scanner.skipValue() }
/// }
/// try scanner.finish()
/// ```
/// The scanner and its tokens point into the text: use them only while the text stays where it is.
public struct JSONScanner {
  let bytes: UnsafeRawBufferPointer
  private let refusesHugeNumbers: Bool
  /// Byte offset of what will be read next.
  public private(set) var offset = 0
  /// Arrays and objects open now.
  public private(set) var depth = 0
  /// True between an opening bracket and its first member, where no comma may stand.
  private var atStart = false

  /// - Parameter refusingHugeNumbers: refuse a number that no Double holds, as serde_json does.
  /// - Throws: `invalidUTF8` if any byte of the text is not UTF-8.
  public init(_ bytes: UnsafeRawBufferPointer, refusingHugeNumbers: Bool = false) throws(JSONError) {
    if let offset = firstInvalidUTF8(in: bytes) { throw JSONError(.invalidUTF8, offset: offset) }
    self.bytes = bytes
    self.refusesHugeNumbers = refusingHugeNumbers
  }

  /// The kind of the next value, which is not consumed.
  public mutating func peek() throws(JSONError) -> JSONKind {
    let byte = try nextByte(expected: "a value")
    guard let kind = JSONKind(firstByte: byte) else { throw unexpected(byte, expected: "a value") }
    return kind
  }

  public mutating func enterObject() throws(JSONError) { try enter(.object) }

  /// The key of the object's next member, up to and with its colon; nil, and the object is left, if there is none.
  public mutating func nextKey() throws(JSONError) -> JSONStringToken? {
    var byte = try nextByte(expected: "',' or '}'")
    if byte == UInt8(ascii: "}") {
      leave()
      return nil
    }
    byte = try separated(byte, expected: "',' or '}'")
    guard byte == UInt8(ascii: "\"") else { throw unexpected(byte, expected: "a key") }
    let key = try scanString()
    byte = try nextByte(expected: "':'")
    guard byte == UInt8(ascii: ":") else { throw unexpected(byte, expected: "':'") }
    offset += 1
    return key
  }

  public mutating func enterArray() throws(JSONError) { try enter(.array) }

  /// True if the array has another element, which comes next; false, and the array is left, if not.
  public mutating func nextElement() throws(JSONError) -> Bool {
    let byte = try nextByte(expected: "',' or ']'")
    if byte == UInt8(ascii: "]") {
      leave()
      return false
    }
    _ = try separated(byte, expected: "',' or ']'")
    return true
  }

  public mutating func string() throws(JSONError) -> JSONStringToken {
    try expect(.string)
    return try scanString()
  }

  public mutating func number() throws(JSONError) -> JSONNumberToken {
    try expect(.number)
    let start = offset
    let isInteger = try scanNumber()
    let token = JSONNumberToken(bytes: slice(start, offset), isInteger: isInteger)
    if refusesHugeNumbers, token.mayExceedDouble, !token.double.isFinite {
      throw JSONError(.numberOutOfRange, offset: start)
    }
    return token
  }

  public mutating func bool() throws(JSONError) -> Bool {
    try expect(.bool)
    let value = bytes[offset] == UInt8(ascii: "t")
    try scanWord(value ? "true" : "false")
    return value
  }

  public mutating func null() throws(JSONError) {
    try expect(.null)
    try scanWord("null")
  }

  /// Checks that nothing but white space is left.
  public mutating func finish() throws(JSONError) {
    skipWhitespace()
    if offset < bytes.count { throw JSONError(.trailingBytes, offset: offset) }
  }
}

// The pieces of the grammar.
extension JSONScanner {
  @inline(__always) private mutating func skipWhitespace() {
    while offset < bytes.count {
      switch bytes[offset] {
      case 0x20, 0x0A, 0x0D, 0x09: offset += 1
      default: return
      }
    }
  }

  /// The next byte that is not white space, not consumed.
  @inline(__always) private mutating func nextByte(expected: String) throws(JSONError) -> UInt8 {
    skipWhitespace()
    guard offset < bytes.count else { throw JSONError(.unexpectedEnd(expected: expected), offset: offset) }
    return bytes[offset]
  }

  /// Passes the comma that must stand before any but the first member; `byte` is the next byte, and so is the result.
  private mutating func separated(_ byte: UInt8, expected: String) throws(JSONError) -> UInt8 {
    if atStart {
      atStart = false
      return byte
    }
    guard byte == UInt8(ascii: ",") else { throw unexpected(byte, expected: expected) }
    offset += 1
    return try nextByte(expected: "a member after ','")
  }

  private mutating func enter(_ kind: JSONKind) throws(JSONError) {
    try expect(kind)
    guard depth < JSONLimits.depth else { throw JSONError(.tooDeep(limit: JSONLimits.depth), offset: offset) }
    offset += 1
    depth += 1
    atStart = true
  }

  private mutating func leave() {
    offset += 1
    depth -= 1
    atStart = false
  }

  private mutating func expect(_ kind: JSONKind) throws(JSONError) {
    let found = try peek()
    if found != kind { throw JSONError(.wrongKind(expected: kind, found: found), offset: offset) }
  }

  private func unexpected(_ byte: UInt8, expected: String) -> JSONError {
    JSONError(.unexpectedByte(byte, expected: expected), offset: offset)
  }

  private func slice(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: bytes[start..<end])
  }

  private mutating func scanWord(_ word: StaticString) throws(JSONError) {
    for index in 0..<word.utf8CodeUnitCount {
      guard offset < bytes.count else { throw JSONError(.unexpectedEnd(expected: "'\(word)'"), offset: offset) }
      guard bytes[offset] == word.utf8Start[index] else { throw unexpected(bytes[offset], expected: "'\(word)'") }
      offset += 1
    }
  }

  /// Consumes digits, at least one.
  private mutating func scanDigits() throws(JSONError) {
    let start = offset
    while offset < bytes.count, isDigit(bytes[offset]) { offset += 1 }
    if offset == start { throw JSONError(.invalidNumber, offset: offset) }
  }

  /// Consumes a number; true if it has neither fraction nor exponent.
  private mutating func scanNumber() throws(JSONError) -> Bool {
    if bytes[offset] == UInt8(ascii: "-") { offset += 1 }
    let first = offset
    try scanDigits()
    if bytes[first] == UInt8(ascii: "0"), offset > first + 1 { throw JSONError(.invalidNumber, offset: first) }
    var isInteger = true
    if offset < bytes.count, bytes[offset] == UInt8(ascii: ".") {
      isInteger = false
      offset += 1
      try scanDigits()
    }
    if offset < bytes.count, bytes[offset] | 0x20 == UInt8(ascii: "e") {
      isInteger = false
      offset += 1
      if offset < bytes.count, bytes[offset] == UInt8(ascii: "+") || bytes[offset] == UInt8(ascii: "-") { offset += 1 }
      try scanDigits()
    }
    return isInteger
  }

  /// Consumes a string, whose opening quote is next, and checks its escapes.
  private mutating func scanString() throws(JSONError) -> JSONStringToken {
    let start = offset + 1
    var position = start
    var hasEscapes = false
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        offset = position + 1
        return JSONStringToken(bytes: slice(start, position), hasEscapes: hasEscapes)
      } else if byte == UInt8(ascii: "\\") {
        hasEscapes = true
        position += try JSONEscape(in: bytes, at: position).length
      } else if byte < 0x20 {
        throw JSONError(.controlCharacter(byte), offset: position)
      } else {
        position += 1
      }
    }
    throw JSONError(.unexpectedEnd(expected: "'\"'"), offset: position)
  }
}

func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }
