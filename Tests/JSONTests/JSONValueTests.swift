import JSON
import Testing

struct JSONValueTests {
  func parse(_ text: String) throws -> JSONValue { try JSONValue(parsing: Array(text.utf8)) }

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
}
