import JSON
import TestSupport
import Testing

struct JSONWriterTests {
  static let sample: JSONValue = [
    "b": [1, [], ["x": [:]]], "a": "é\"\\/\u{8}\t\n\u{C}\r\u{1F}\u{7F}😀", "": .null, "\u{FB00}": true, "😀": false,
  ]

  func text(_ value: JSONValue, _ style: JSONStyle) -> String { String(decoding: value.encoded(style), as: UTF8.self) }

  @Test func compact() {
    #expect(
      text(Self.sample, .compact)
        == #"{"b":[1,[],{"x":{}}],"a":"é\"\\/\b\t\n\f\r\u001f"# + "\u{7F}"
        + #"😀","":null,"\#u{FB00}":true,"😀":false}"#)
  }

  /// The texts are those of Python 3.11: json.dumps(sample), and json.dumps(sample, indent=2, sort_keys=True).
  @Test func python() {
    #expect(
      text(Self.sample, .python())
        == #"{"b": [1, [], {"x": {}}], "a": "\u00e9\"\\/\b\t\n\f\r\u001f\u007f\ud83d\ude00", "": null, "#
        + #""\ufb00": true, "\ud83d\ude00": false}"#)
    #expect(
      text(Self.sample, .python(indent: 2, sortKeys: true)) == #"""
        {
          "": null,
          "a": "\u00e9\"\\/\b\t\n\f\r\u001f\u007f\ud83d\ude00",
          "b": [
            1,
            [],
            {
              "x": {}
            }
          ],
          "\ufb00": true,
          "\ud83d\ude00": false
        }
        """#)
  }

  @Test func scalars() {
    #expect(text(.null, .compact) == "null")
    #expect(text(.array([]), .python(indent: 2)) == "[]")
    #expect(text(-7, .compact) == "-7")
  }

  func random(_ random: inout SplitMix64, depth: Int) -> JSONValue {
    let letters = ["a", "\"", "\\", "\n", "\0", "\u{7F}", "é", "e\u{301}", "😀", "\u{2028}", "/"]
    func string(_ random: inout SplitMix64) -> String {
      (0..<Int.random(in: 0...5, using: &random)).compactMap { _ in letters.randomElement(using: &random) }.joined()
    }
    switch Int.random(in: 0..<(depth == 0 ? 5 : 7), using: &random) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &random))
    case 2: return .number(JSONNumber(Int.random(in: .min ... .max, using: &random)))
    case 3: return JSONNumber(random.normal()).map(JSONValue.number) ?? .null
    case 4: return .string(string(&random))
    case 5:
      return .array((0..<Int.random(in: 0...4, using: &random)).map { _ in self.random(&random, depth: depth - 1) })
    default:
      let count = Int.random(in: 0...12, using: &random)
      return .object(
        JSONObject((0..<count).map { .init("\($0)" + string(&random), self.random(&random, depth: depth - 1)) }))
    }
  }

  @Test(arguments: 0..<100) func roundTrip(_ seed: UInt64) throws {
    var generator = SplitMix64(seed: seed)
    let value = random(&generator, depth: 4)
    for style in [.compact, JSONStyle.python(), .python(indent: 4), JSONStyle(indent: 1)] {
      let bytes = value.encoded(style)
      let read = try JSONValue(parsing: bytes)
      #expect(read == value)
      #expect(read.encoded(style) == bytes)
    }
  }
}
