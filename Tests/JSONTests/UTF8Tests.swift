import JSON
import TestSupport
import Testing

/// The check of UTF-8 against the standard library's.
struct UTF8Tests {
  /// Asserts that a text with these bytes, at each place of an eight-byte word, is accepted if they are UTF-8.
  func check(_ bytes: [UInt8]) {
    let isValid = String(validating: bytes, as: UTF8.self) != nil
    for shift in [0, 5] {
      let text = [UInt8(ascii: "\"")] + [UInt8](repeating: 0x61, count: shift) + bytes + [UInt8(ascii: "\"")]
      let accepted = text.withUnsafeBytes { (try? JSONScanner($0)) != nil }
      if accepted != isValid { Issue.record("\(bytes): accepted \(accepted)") }
    }
  }

  @Test func allPairs() {
    for pair in 0...0xFFFF { check([UInt8(pair >> 8), UInt8(pair & 0xFF)]) }
  }

  @Test func boundariesOfLongerSequences() {
    let edges: [UInt8] = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF]
    for lead in 0xC0...0xFF {
      for second in edges {
        for third in edges {
          check([UInt8(lead), second, third])
          for fourth in edges { check([UInt8(lead), second, third, fourth]) }
        }
      }
    }
  }

  @Test func saysWhere() {
    let text = Array("\"0123456789é".utf8) + [0xC3]
    #expect(throws: JSONError(.invalidUTF8, offset: 13)) { try JSONValue(parsing: text) }
  }
}
