import Codecs
import TestSupport
import Testing

@testable import GGUF

/// One row a file of samples/bad/gguf: what is wrong, at which byte, and in which tensor.
struct BadSample: Sendable, CustomTestStringConvertible {
  var name: String
  var reason: GGUFReason
  var offset: Int?
  var tensor: String?

  init(_ name: String, _ reason: GGUFReason, at offset: Int? = nil, tensor: String? = nil) {
    self.name = name
    self.reason = reason
    self.offset = offset
    self.tensor = tensor
  }

  var testDescription: String { name }

  static let tensors = "the number of tensors"
  static let pairs = "the number of key-value pairs"

  static let header: [BadSample] = [
    BadSample("empty", .truncated(field: "the magic", needs: 4, left: 0), at: 0),
    BadSample("three-bytes", .truncated(field: "the magic", needs: 4, left: 3), at: 0),
    BadSample("magic", .magic(Array("GGML".utf8)), at: 0),
    BadSample("html", .magic(Array("<!do".utf8)), at: 0),
    BadSample("magic-only", .truncated(field: "the version", needs: 4, left: 0), at: 4),
    BadSample("version-0", .version(0), at: 4),
    BadSample("version-1", .version(1), at: 4),
    BadSample("version-4", .version(4), at: 4),
    BadSample("version-1-big-endian", .version(1), at: 4),
    BadSample("version-high-half", .version(256), at: 4),
    BadSample("cut-in-counts", .truncated(field: pairs, needs: 8, left: 4), at: 16),
    BadSample("tensors-negative", .negativeCount(field: tensors, -1), at: 8),
    BadSample("tensors-beyond-file", .beyondFile(field: tensors, count: 1, left: 8), at: 8),
    BadSample("tensors-2p62", .beyondFile(field: tensors, count: 1 << 62, left: 72), at: 8),
    BadSample("pairs-negative", .negativeCount(field: pairs, .min), at: 16),
    BadSample("pairs-beyond-file", .beyondFile(field: pairs, count: 2, left: 27), at: 16),
    BadSample("pairs-2p60", .beyondFile(field: pairs, count: 1 << 60, left: 64), at: 16),
  ]

  static let metadata: [BadSample] = [
    BadSample("key-empty", .emptyKey, at: 24),
    BadSample("key-too-long", .keyTooLong(bytes: 65536), at: 24),
    BadSample("key-length-2p64", .keyTooLong(bytes: .max), at: 24),
    BadSample("key-cut", .truncated(field: "a key", needs: 30, left: 15), at: 32),
    BadSample("key-not-utf8", .keyNotUTF8, at: 24),
    BadSample("key-twice", .duplicateKey("a"), at: 52),
    BadSample("value-type-13", .valueType(key: "key", 13), at: 35),
    BadSample("value-type-negative", .valueType(key: "key", .max), at: 35),
    BadSample("value-cut", .truncated(field: "the value of 'key'", needs: 8, left: 4), at: 39),
    BadSample("string-beyond-file", .beyondFile(field: "the length of a string of 'key'", count: 9, left: 8), at: 39),
    BadSample(
      "string-length-2p64", .beyondFile(field: "the length of a string of 'key'", count: .max, left: 0), at: 39),
    BadSample("array-type-99", .valueType(key: "key", 99), at: 39),
    BadSample("array-too-long", .arrayTooLong(key: "key", count: 1 << 30 + 1), at: 43),
    BadSample("array-length-2p64", .arrayTooLong(key: "key", count: .max), at: 43),
    BadSample("array-beyond-file", .beyondFile(field: "the length of the array of 'key'", count: 5, left: 9), at: 43),
    BadSample(
      "strings-beyond-file", .beyondFile(field: "the length of the array of 'key'", count: 3, left: 23), at: 43),
    BadSample(
      "string-in-array-beyond-file", .beyondFile(field: "the length of a string of 'key'", count: 1, left: 0), at: 60),
    BadSample("array-17-deep", .arrayTooDeep(key: "key"), at: 219),
    BadSample("array-1000-deep", .arrayTooDeep(key: "key"), at: 219),
    BadSample("alignment-u64", .alignmentType(.uint64), at: 24),
    BadSample("alignment-0", .alignment(0), at: 24),
    BadSample("alignment-48", .alignment(48), at: 68),
  ]

  static let infos: [BadSample] =
    [
      BadSample("name-64-bytes", .nameTooLong(bytes: 64), at: 24),
      BadSample("name-length-2p64", .nameTooLong(bytes: .max), at: 24),
      BadSample("name-cut", .truncated(field: "a tensor's name", needs: 60, left: 20), at: 32),
      BadSample("name-not-utf8", .nameNotUTF8, at: 24),
      BadSample("name-twice", .duplicateTensor, at: 101, tensor: "t"),
      BadSample("dimensions-5", .tooManyDimensions(5), at: 33, tensor: "t"),
      BadSample("dimensions-2p32", .tooManyDimensions(.max), at: 33, tensor: "t"),
      BadSample("dimension-negative", .negativeDimension(index: 1, -1), at: 45, tensor: "t"),
      BadSample("shape-overflow", .shapeOverflow(ne: [1 << 32, 1 << 31]), at: 24, tensor: "t"),
      BadSample("shape-overflow-then-zero", .shapeOverflow(ne: [1 << 62, 1 << 62, 0]), at: 24, tensor: "t"),
      BadSample("shape-overflow-after-zero", .shapeOverflow(ne: [0, 1 << 62, 1 << 62]), at: 24, tensor: "t"),
      BadSample("size-overflow", .sizeOverflow(type: .f64, ne: [1 << 61, 2]), at: 24, tensor: "t"),
      BadSample("sum-overflow", .sizeOverflow(type: .i8, ne: [1 << 62]), at: 101, tensor: "b"),
      BadSample("padding-overflow", .sizeOverflow(type: .i8, ne: [.max]), at: 24, tensor: "t"),
      BadSample("position-overflow", .sizeOverflow(type: .i8, ne: [.max - 31]), at: 64, tensor: "t"),
      BadSample("type-43", .unknownType(43), at: 45, tensor: "t"),
      BadSample("type-negative", .unknownType(-1), at: 45, tensor: "t"),
      BadSample("row-not-whole-blocks", .partialBlock(type: .q8_0, row: 31), at: 24, tensor: "t"),
      BadSample("scalar-in-blocks", .partialBlock(type: .q8_0, row: 1), at: 24, tensor: "t"),
      BadSample(
        "tensor-info-cut", .truncated(field: "the offset of a tensor", needs: 8, left: 4), at: 54, tensor: "tensor"),
    ]
    + ([4, 5, 31, 32, 33, 36, 37, 38] as [Int32]).map {
      BadSample("type-\($0)-removed", .removedType($0), at: 45, tensor: "t")
    }

  static let data: [BadSample] = [
    BadSample("offset-of-first", .offset(expected: 0, found: 32), at: 49, tensor: "t"),
    BadSample("offset-gap", .offset(expected: 32, found: 64), at: 126, tensor: "b"),
    BadSample("offset-shared", .offset(expected: 32, found: 0), at: 126, tensor: "b"),
    BadSample("offset-reversed", .offset(expected: 0, found: 32), at: 93, tensor: "a"),
    BadSample("offset-unpadded", .offset(expected: 32, found: 16), at: 126, tensor: "b"),
    BadSample("offset-of-32-at-64", .offset(expected: 64, found: 32), at: 115, tensor: "b"),
    BadSample("no-data", .dataBeyondFile(end: 80, size: 64), at: 64, tensor: "t"),
    BadSample("no-padding", .dataBeyondFile(end: 80, size: 57), at: 57, tensor: "t"),
    BadSample("data-one-short", .dataBeyondFile(end: 80, size: 79), at: 79, tensor: "t"),
    BadSample("second-tensor-cut", .dataBeyondFile(end: 208, size: 200), at: 200, tensor: "b"),
  ]

  static let all = header + metadata + infos + data
}

@Suite struct BadSampleTests {
  static let folder = Fixtures.samples + "/bad/gguf"

  @Test(arguments: BadSample.all) func refuses(sample: BadSample) throws {
    let path = "\(Self.folder)/\(sample.name).gguf"
    let expected = GGUFError(sample.reason, file: path, tensor: sample.tensor, offset: sample.offset)
    #expect(throws: expected) { try GGUFFile(path) }
    // From memory as from the file.
    let bytes = try Fixtures.bytes(path)
    #expect(throws: expected) { try GGUFHeader(parsing: bytes, path: path) }
    #expect(expected.description.hasPrefix(path))
  }

  @Test func everySampleIsInTheTable() throws {
    let names = try Fixtures.names(Self.folder)
    #expect(Set(names) == Set(BadSample.all.map(\.name)))
    #expect(names.count == BadSample.all.count)
  }
}
