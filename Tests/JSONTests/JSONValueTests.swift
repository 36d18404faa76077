import JSON
import TestSupport
import Testing

struct JSONValueTests {
  func parse(_ text: String, _ duplicates: DuplicateKeys = .refused) throws -> JSONValue {
    try JSONValue(parsing: Array(text.utf8), duplicateKeys: duplicates)
  }

  @Test func looksUpMembersAndElements() throws {
    let value = try parse(#" {"a":{"b":"c","n":[1,-2,3.5,1e2]},"t":true,"f":false,"z":null} "#)
    #expect(value["a"]?["b"]?.string == "c")
    #expect(value["a"]?["n"]?[1]?.int == -2)
    #expect(value["a"]?["n"]?[2]?.int == nil)
    #expect(value["a"]?["n"]?[2]?.double == 3.5)
    #expect(value["a"]?["n"]?[3]?.double == 100)
    #expect(value["a"]?["n"]?[4] == nil)
    #expect(value["t"]?.bool == true)
    #expect(value["f"]?.bool == false)
    #expect(value["z"]?.isNull == true)
    #expect(value["absent"] == nil)
    #expect(value["t"]?["b"] == nil)
    #expect(value.object?.members.map(\.key) == ["a", "t", "f", "z"])
  }

  @Test func resolvesEscapes() throws {
    #expect(
      try parse(#""\"\\\/\b\f\n\r\t\u0000\u00E9\ud83d\ude00\uffff""#).string == "\"\\/\u{8}\u{C}\n\r\t\0é😀\u{FFFF}")
  }

  @Test func numbersAreExact() throws {
    let texts = [
      "9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615", "1.0", "-0",
    ]
    let numbers = try texts.map { try parse($0).number }
    #expect(numbers.map { $0?.text } == texts)
    #expect(numbers.map { $0?.int } == [Int.max, Int.min, nil, nil, nil, 0])
    #expect(numbers.map { $0?.uint64 } == [UInt64(Int.max), nil, 1 << 63, .max, nil, 0])
    #expect(try parse("0.1").double == 0.1)
    #expect(try parse("1e999").double == .infinity)
    #expect(try parse("5e-324").double == .leastNonzeroMagnitude)
    #expect(JSONNumber(Double.nan) == nil)
    #expect(JSONNumber(0.5)?.text == "0.5")
  }

  @Test(arguments: [1, 100]) func duplicateKeys(_ others: Int) throws {
    let fillers = (0..<others).map { "\"\($0)\":0" }.joined(separator: ",")
    let text = #"{"a":1,\#(fillers),"\u0061":2}"#
    let error = #expect(throws: JSONError.self) { try parse(text) }
    #expect(error?.reason == .duplicateKey("a"))
    let value = try parse(text, .kept)
    #expect(value["a"]?.int == 2)
    #expect(value.object?.members.count == others + 2)
    #expect(value.object?.duplicateKey == "a")
    #expect(try parse("{\(fillers)}").object?.duplicateKey == nil)
  }

  @Test(arguments: [0, 100]) func keysAreComparedByBytes(_ others: Int) throws {
    let fillers = (0..<others).map { "\"\($0)\":0," }.joined()
    let value = try parse("{\(fillers)\"\u{E9}\":1,\"e\u{301}\":2}")
    #expect(value["\u{E9}"]?.int == 1)
    #expect(value["e\u{301}"]?.int == 2)
    #expect(try parse("\"\u{E9}\"") != parse("\"e\u{301}\""))
  }

  @Test(arguments: [0, 100]) func membersAreSetAndRemoved(_ others: Int) {
    var object = JSONObject((0..<others).map { JSONObject.Member("\($0)", 0) })
    object["a"] = 1
    object["b"] = "x"
    object["a"] = true
    #expect(object["a"]?.bool == true)
    #expect(object.members.map(\.key).suffix(2) == ["a", "b"])
    object["a"] = nil
    #expect(object["a"] == nil)
    #expect(object["b"]?.string == "x")
    #expect(object.members.count == others + 1)
  }

  @Test func literals() throws {
    let value: JSONValue = ["a": [1, "x", true, .null], "b": ["c": -5]]
    #expect(try value == parse(#"{"a":[1,"x",true,null],"b":{"c":-5}}"#))
  }

  @Test func scannerPulls() throws {
    try Array(#"{"shape":[1,22],"x":{"y":[{}]},"n\u0061me":"a\n"}"#.utf8).withUnsafeBytes {
      var scanner = try JSONScanner($0)
      var shape: [UInt64?] = []
      try scanner.enterObject()
      #expect(try scanner.nextKey()?.matches("shape") == true)
      try scanner.enterArray()
      while try scanner.nextElement() { shape.append(try scanner.number().unsigned) }
      #expect(shape == [1, 22])
      #expect(try scanner.nextKey()?.matches("y") == false)
      #expect(try scanner.peek() == .object)
      try scanner.skipValue()
      #expect(scanner.depth == 1)
      #expect(try scanner.nextKey()?.matches("name") == true)
      #expect(throws: JSONError(.wrongKind(expected: .number, found: .string), offset: scanner.offset)) {
        try scanner.number()
      }
      #expect(try scanner.string().string == "a\n")
      #expect(try scanner.nextKey() == nil)
      try scanner.finish()
    }
  }
}
