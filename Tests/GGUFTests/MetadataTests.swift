import GGUF
import TestSupport
import Testing

@Suite struct MetadataTests {
  @Test func keepsTheOrder() {
    var metadata: GGUFMetadata = ["a": .uint8(1), "b": .uint8(2), "c": .uint8(3)]
    metadata["b"] = .uint8(9)
    metadata["a"] = nil
    metadata["d"] = .uint8(4)
    metadata["missing"] = nil
    #expect(metadata.entries.map(\.key) == ["b", "c", "d"])
    #expect(metadata.integer("b") == 9)
    #expect(metadata.integer("c") == 3)
    #expect(metadata.integer("d") == 4)
    #expect(!metadata.contains("a"))
  }

  @Test func looksUpByKind() {
    let metadata: GGUFMetadata = [
      "number": .int16(-3), "large": .uint64(.max), "half": .float32(0.5), "yes": .bool(true), "text": .string("x"),
      "numbers": .array(.uint64([1, 2])), "larges": .array(.uint64([.max])), "floats": .array(.float32([0.5])),
      "strings": .array(.string(GGUFStrings(["x", "y"]))),
    ]
    #expect(metadata.integer("number") == -3)
    #expect(metadata.integer("large") == nil)
    #expect(metadata.integer("half") == nil)
    #expect(metadata.float("half") == 0.5)
    #expect(metadata.float("number") == nil)
    #expect(metadata.bool("yes") == true)
    #expect(metadata.text("text") == "x")
    #expect(metadata.text("yes") == nil)
    #expect(metadata.integers("numbers") == [1, 2])
    #expect(metadata.integers("larges") == nil)
    #expect(metadata.floats("floats") == [0.5])
    #expect(metadata.strings("strings")?.text(at: 1) == "y")
    #expect(metadata.strings("floats") == nil)
    #expect(metadata.integer("missing") == nil)
  }

  /// Equal is what is written as the same bytes.
  @Test func equality() {
    #expect(GGUFValue.float32(0) != .float32(-0.0))
    #expect(GGUFValue.float64(.nan) == .float64(.nan))
    #expect(GGUFValue.uint8(1) != .int8(1))
    #expect(GGUFValue.uint8(1) != .bool(true))
    #expect(GGUFValue.string("\u{e9}") != .string("e\u{301}"))
    #expect(GGUFArray.uint8([]) != .int8([]))
    #expect(GGUFArray.array([.uint8([1])]) == .array([.uint8([1])]))
  }
}
