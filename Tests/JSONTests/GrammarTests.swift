import JSON
import Testing

/// RFC 8259, what it allows and what it doesn't. The scanner passes over the same texts, and must agree.
struct GrammarTests {
  static let valid = [
    "null", " true\t", "\r\nfalse", "0", "-0", "-0.0", "12", "1.5", "1e5", "1E+5", "1e-05",
    "123456789012345678901234567890",
    "1e999", "\"\"", #""a\"\\\/\b\f\n\r\t""#, #""\u0000\u00e9\uD834\uDD1E""#, "\"\u{7F}é😀\u{2028}\"", "[]", "[ ]", "{}",
    "{ }",
    "[1,[2,{}],\"x\"]", #"{"a":1,"b":{"c":[]}}"#, #"{"":0}"#, " [ 1 , 2 ] ", #" { "a" : 1 , "b" : 2 } "#,
  ]

  @Test(arguments: valid) func accepts(_ text: String) throws {
    _ = try JSONValue(parsing: Array(text.utf8))
    try skip(text)
  }

  static let invalid: [(String, JSONReason)] = [
    ("", .unexpectedEnd(expected: "a value")), (" ", .unexpectedEnd(expected: "a value")),
    ("nul", .unexpectedEnd(expected: "'null'")), ("nulL", .unexpectedByte(0x4C, expected: "'null'")),
    ("True", .unexpectedByte(0x54, expected: "a value")), ("NaN", .unexpectedByte(0x4E, expected: "a value")),
    ("1 2", .trailingBytes), ("{}]", .trailingBytes), ("null\0", .trailingBytes),
    ("+1", .unexpectedByte(0x2B, expected: "a value")), (".5", .unexpectedByte(0x2E, expected: "a value")),
    ("-", .invalidNumber), ("-a", .invalidNumber), ("01", .invalidNumber), ("-00", .invalidNumber),
    ("1.", .invalidNumber), ("1.e5", .invalidNumber), ("1e", .invalidNumber), ("1e+", .invalidNumber),
    ("1a", .trailingBytes), ("0x10", .trailingBytes), ("1.5.5", .trailingBytes),
    ("\"", .unexpectedEnd(expected: "'\"'")), ("\"a", .unexpectedEnd(expected: "'\"'")),
    ("\"\\", .unexpectedEnd(expected: "an escape")), (#""\a""#, .invalidEscape), (#""\u12""#, .invalidEscape),
    (#""\u12G4""#, .invalidEscape), (#""\U0041""#, .invalidEscape), ("'a'", .unexpectedByte(0x27, expected: "a value")),
    ("\"\u{1F}\"", .controlCharacter(0x1F)), ("\"\0\"", .controlCharacter(0)), ("\"\t\"", .controlCharacter(9)),
    (#""\ud800""#, .loneSurrogate), (#""\udfff""#, .loneSurrogate), (#""\ud800\ud800""#, .loneSurrogate),
    (#""\ud800\n""#, .loneSurrogate), (#""\ud800\u004""#, .loneSurrogate),
    ("[", .unexpectedEnd(expected: "',' or ']'")), ("[1", .unexpectedEnd(expected: "',' or ']'")),
    ("[1,", .unexpectedEnd(expected: "a member after ','")), ("[1,]", .unexpectedByte(0x5D, expected: "a value")),
    ("[,1]", .unexpectedByte(0x2C, expected: "a value")), ("[1 2]", .unexpectedByte(0x32, expected: "',' or ']'")),
    ("[1}", .unexpectedByte(0x7D, expected: "',' or ']'")), ("{", .unexpectedEnd(expected: "',' or '}'")),
    ("{]", .unexpectedByte(0x5D, expected: "a key")), ("{1:1}", .unexpectedByte(0x31, expected: "a key")),
    (#"{"a"}"#, .unexpectedByte(0x7D, expected: "':'")), (#"{"a" 1}"#, .unexpectedByte(0x31, expected: "':'")),
    (#"{"a":}"#, .unexpectedByte(0x7D, expected: "a value")), (#"{"a":1,}"#, .unexpectedByte(0x7D, expected: "a key")),
    (#"{"a":1 "b":2}"#, .unexpectedByte(0x22, expected: "',' or '}'")),
    ("\u{FEFF}1", .unexpectedByte(0xEF, expected: "a value")), ("/**/1", .unexpectedByte(0x2F, expected: "a value")),
    ("1\u{C}", .trailingBytes), ("\u{A0}1", .unexpectedByte(0xC2, expected: "a value")),
  ]

  @Test(arguments: invalid) func refuses(_ text: String, _ reason: JSONReason) {
    let built = #expect(throws: JSONError.self) { try JSONValue(parsing: Array(text.utf8)) }
    let skipped = #expect(throws: JSONError.self) { try skip(text) }
    #expect(built?.reason == reason)
    #expect(built == skipped)
  }

  func skip(_ text: String) throws {
    try Array(text.utf8).withUnsafeBytes {
      var scanner = try JSONScanner($0)
      try scanner.skipValue()
      try scanner.finish()
    }
  }

  @Test(arguments: [("[]", "[", "]"), ("{\"a\":1}", "{\"a\":", "}")])
  func nestingIsCapped(_ core: String, _ open: String, _ close: String) throws {
    func nested(_ levels: Int) -> String {
      String(repeating: open, count: levels - 1) + core + String(repeating: close, count: levels - 1)
    }
    try skip(nested(127))
    _ = try JSONValue(parsing: Array(nested(127).utf8))
    for text in [nested(128), String(repeating: open, count: 100_000)] {
      let error = JSONError(.tooDeep(limit: 127), offset: 127 * open.utf8.count)
      #expect(throws: error) { try skip(text) }
      #expect(throws: error) { try JSONValue(parsing: Array(text.utf8)) }
    }
  }

  @Test func errorsSayWhere() {
    let error = #expect(throws: JSONError.self) { try JSONValue(parsing: Array(#"{"a": [1, x]}"#.utf8)) }
    #expect(error?.offset == 10)
    #expect(error?.fault(in: "f", start: 8).description == "f at byte 18: expected a value, found byte 0x78")
  }

  @Test func numbersBeyondDoubleCanBeRefused() throws {
    for (text, isRefused) in [("1e999", true), ("-1e309", true), ("0e999", false), ("1e-999", false), ("1e308", false)]
    {
      try Array(text.utf8).withUnsafeBytes {
        var scanner = try JSONScanner($0, refusingHugeNumbers: true)
        if isRefused {
          #expect(throws: JSONError(.numberOutOfRange, offset: 0)) { try scanner.skipValue() }
        } else {
          try scanner.skipValue()
        }
      }
    }
  }
}
