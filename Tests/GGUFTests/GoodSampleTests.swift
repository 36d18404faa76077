import ByteIO
import Codecs
import GGUF
import TestSupport
import Testing

extension Fixtures {
  /// Names of the `.gguf` files of a folder, without the ending.
  static func names(_ folder: String) throws -> [String] {
    try Path.entries(of: folder).filter { $0.hasSuffix(".gguf") }.map { String($0.dropLast(5)) }
  }
}

/// Tricky but valid: samples/good/gguf.
@Suite struct GoodSampleTests {
  static let folder = Fixtures.samples + "/good/gguf"
  static let names = (try? Fixtures.names(folder)) ?? []

  /// Files that hold what a plan writes otherwise: another version, byte order or padding, or a bool other than 1.
  static let notCanonical: Set<String> = [
    "empty", "no-tensors-unpadded", "bool-of-two", "big-endian-tensor", "big-endian-v2", "every-value-v2",
    "every-value-big-endian",
  ]

  private func read(_ name: String) throws -> GGUFFile { try GGUFFile("\(Self.folder)/\(name).gguf") }

  @Test func thereAreSamples() { #expect(Self.names.count == 28) }

  @Test(arguments: names) func readsAndPlansAgain(name: String) throws {
    let file = try read(name)
    let bytes = try Fixtures.bytes(file.path)
    let plan = try GGUFHeader.plan(
      metadata: file.metadata, tensors: file.tensors.map(\.info), nestedArrays: true)
    #expect(plan.alignment == file.header.alignment)
    if !Self.notCanonical.contains(name) {
      #expect(plan.header == Array(bytes.prefix(file.header.dataStart)))
      #expect(plan.tensors == file.tensors)
    }
    let again = try GGUFHeader(parsing: GGUFTests.file(plan), path: name)
    #expect(again.metadata == file.metadata)
    #expect(again.tensors.map(\.info) == file.tensors.map(\.info))
  }

  @Test(arguments: ["every-value", "every-value-v2", "every-value-big-endian"])
  func readsEveryValue(name: String) throws {
    let metadata = try read(name).metadata
    let expected: [GGUFValue] = [
      .uint8(255), .int8(-128), .uint16(65535), .int16(-32768), .uint32(.max), .int32(.min), .float32(0.5), .bool(true),
      .uint64(.max), .int64(.min), .float64(-0.0),
    ]
    for value in expected { #expect(metadata["value.\(value.type.rawValue)"] == value) }
    #expect(metadata.text("value.8") == "text")
    let arrays: [GGUFArray] = [
      .uint8([255, 0, 255]), .int8([-128, 0, -128]), .uint16([65535, 0, 65535]), .int16([-32768, 0, -32768]),
      .uint32([.max, 0, .max]), .int32([.min, 0, .min]), .float32([0.5, 0, 0.5]), .bool([true, false, true]),
      .uint64([.max, 0, .max]), .int64([.min, 0, .min]), .float64([-0.0, 0, -0.0]),
      .string(GGUFStrings(["", "two", "three"])),
    ]
    for array in arrays { #expect(metadata["array.\(array.elementType.rawValue)"] == .array(array)) }
  }

  @Test func versionsAndByteOrders() throws {
    #expect(try read("every-value-v2").header.version == 2)
    #expect(try read("every-value-v2").header.byteOrder == .little)
    #expect(try read("every-value-big-endian").header.version == 3)
    #expect(try read("every-value-big-endian").header.byteOrder == .big)
    #expect(try read("big-endian-v2").header.version == 2)
    #expect(try read("big-endian-v2").header.byteOrder == .big)
  }

  /// The data of a big-endian file is left as it is; the header says so.
  @Test func bigEndianData() throws {
    let file = try read("big-endian-tensor")
    let tensor = try #require(file.tensors.first)
    #expect(file.header.byteOrder == .big)
    #expect(tensor.shape.dimensions == [2, 2])
    #expect(try Array(file.input.bytes(tensor.range).prefix(8)) == [0x3f, 0x80, 0, 0, 0x40, 0, 0, 0])
  }

  @Test func boolsAreTrueUnlessZero() throws { #expect(try read("bool-of-two").metadata.bool("flag") == true) }

  @Test func nestedArrays() throws {
    let inner: [GGUFArray] = [
      .uint16([1, 2]), .string(GGUFStrings(["x"])), .array([.uint8([]), .array([])]),
    ]
    #expect(try read("nested-arrays").metadata["nested"] == .array(.array(inner)))
  }

  @Test func emptyArraysKeepTheirType() throws {
    for entry in try read("empty-arrays").metadata.entries {
      let array = try #require(entry.value.array)
      #expect(array.count == 0)
      #expect(entry.key == "empty.\(array.elementType.rawValue)")
    }
  }

  @Test func stringsAreBytes() throws {
    let metadata = try read("string-not-utf8").metadata
    #expect(metadata["token"] == .string(GGUFString(bytes: [0xff, 0xfe])))
    #expect(metadata.text("token") == nil)
    let tokens = try #require(metadata.strings("tokens"))
    #expect(tokens.map(Array.init) == [[0xc3], [0]])
    #expect(tokens.text(at: 0) == nil)
    #expect(tokens.text(at: 1) == "\0")
  }

  /// Two spellings that Unicode, and Swift's String, call equal are two keys and two tensors.
  @Test func namesAreBytes() throws {
    let keys = try read("keys-canonically-equal").metadata
    #expect(keys.integer("\u{e9}") == 1)
    #expect(keys.integer("e\u{301}") == 2)
    let header = try read("names-canonically-equal").header
    let first = try #require(header.tensor(named: "\u{e9}"))
    let second = try #require(header.tensor(named: "e\u{301}"))
    #expect(second.range.lowerBound == first.range.lowerBound + 32)
  }

  @Test func placesOfTensors() throws {
    #expect(try read("scalar-tensor").tensors.map(\.range) == [96..<100])
    #expect(try read("zero-dimension").tensors.map(\.range.count) == [0, 16])
    let aligned = try read("alignment-64").tensors
    #expect(aligned.map(\.range) == [128..<144, 192..<208])
    #expect(try read("alignment-1").tensors.map(\.range.count) == [3, 2])
    #expect(try read("block-types").tensors.map(\.range.count) == [36, 144])
  }
}
