import ByteIO
import JSON
import Safetensors
import TestSupport
import Testing

/// Every file of samples/bad/safetensors and the exact reason for which it is refused.
struct BadSampleTests {
  static let folder = Fixtures.samples + "/bad/safetensors"

  static let files: [(String, SafetensorsReason)] = [
    ("header-too-small", .headerTooSmall(fileSize: 7)),
    ("header-too-large", .headerTooLarge(length: 100_000_001)),
    ("invalid-header-length", .invalidHeaderLength(length: 3, fileSize: 10)),
    ("invalid-header", .invalidHeader),
    ("invalid-offset-hole", .invalidOffset(expectedBegin: 4, begin: 5, end: 9)),
    ("invalid-offset-overlap", .invalidOffset(expectedBegin: 4, begin: 2, end: 6)),
    ("invalid-offset-start", .invalidOffset(expectedBegin: 0, begin: 1, end: 5)),
    ("invalid-offset-reversed", .invalidOffset(expectedBegin: 0, begin: 4, end: 0)),
    ("validation-overflow-elements", .validationOverflow(dimensions: [1 << 32, 1 << 32, 0], dtype: .f32)),
    ("validation-overflow-bits", .validationOverflow(dimensions: [2, UInt64(Int.max)], dtype: .f32)),
    ("misaligned-slice", .misalignedSlice(dimensions: [1, 3], dtype: .f4)),
    ("tensor-invalid-info", .tensorInvalidInfo(expected: 16, found: 4)),
    ("metadata-incomplete-buffer-short", .metadataIncompleteBuffer(expected: 66, fileSize: 64)),
    ("metadata-incomplete-buffer-long", .metadataIncompleteBuffer(expected: 66, fileSize: 67)),
    ("duplicate-name", .duplicateName),
    ("duplicate-name-escaped", .duplicateName),
    ("shape-out-of-range", .shapeOutOfRange(dimensions: [1 << 63, 0])),
  ]

  /// The samples "invalid-header-deserialization-NAME".
  static let problems: [(String, HeaderProblem)] = [
    ("not-json", .json(.unexpectedEnd(expected: "',' or '}'"))),
    ("not-an-object", .json(.wrongKind(expected: .object, found: .array))),
    ("trailing-nul", .json(.trailingBytes)),
    ("byte-order-mark", .json(.unexpectedByte(0xEF, expected: "a value"))),
    ("control-character", .json(.controlCharacter(0x0A))),
    ("trailing-comma", .json(.unexpectedByte(UInt8(ascii: "}"), expected: "a key"))),
    ("lone-surrogate", .json(.loneSurrogate)),
    ("invalid-escape", .json(.invalidEscape)),
    ("invalid-number", .json(.invalidNumber)),
    ("number-out-of-range", .json(.numberOutOfRange)),
    ("too-deep", .json(.tooDeep(limit: 127))),
    ("metadata-value", .json(.wrongKind(expected: .string, found: .number))),
    ("duplicate-metadata", .duplicateField("__metadata__")),
    ("duplicate-field", .duplicateField("dtype")),
    ("missing-field", .missingField("data_offsets")),
    ("unknown-dtype", .unknownDType("F8_E4M3FN")),
    ("invalid-dtype", .invalidDType),
    ("invalid-integer", .invalidInteger("-0")),
    ("wrong-count-offsets", .wrongCount(of: "data_offsets", expected: 2)),
    ("wrong-count-array", .wrongCount(of: "a tensor given as an array", expected: 3)),
  ]

  static let all =
    files + problems.map { ("invalid-header-deserialization-" + $0, .invalidHeaderDeserialization($1)) }

  @Test(arguments: all) func isRefused(_ name: String, _ reason: SafetensorsReason) throws {
    let path = "\(Self.folder)/\(name).safetensors"
    let error = #expect(throws: SafetensorsError.self) { try SafetensorsFile(path) }
    #expect(error?.reason == reason)
    #expect(error?.file == path)
  }

  static let checkpoints: [(String, ShardReason)] = [
    ("index-not-json", .invalidJSON(.unexpectedEnd(expected: "',' or '}'"))),
    ("index-duplicate-key", .invalidJSON(.duplicateKey("a"))),
    ("index-not-an-object", .invalidField("index", expected: .object, found: .array)),
    ("index-no-weight-map", .invalidField("weight_map", expected: .object, found: nil)),
    ("index-weight-map-array", .invalidField("weight_map", expected: .object, found: .array)),
    ("index-metadata-string", .invalidField("metadata", expected: .object, found: .string)),
    ("index-shard-not-a-string", .invalidField("weight_map", expected: .string, found: .number)),
    ("index-shard-absolute", .shardOutsideDirectory("/tmp/x.safetensors")),
    ("index-shard-parent", .shardOutsideDirectory("sub/../../x.safetensors")),
    ("index-shard-backslash", .shardOutsideDirectory("..\\x.safetensors")),
    ("index-shard-drive", .shardOutsideDirectory("C:x.safetensors")),
    ("index-shard-nul", .shardOutsideDirectory("x\0.safetensors")),
    ("index-shard-empty", .shardOutsideDirectory("")),
    ("index-shard-wrong-extension", .shardWrongExtension("x.bin")),
    ("missing-shard", .missingShard("y.safetensors")),
    ("missing-shard-unindexed", .missingShard("model-00002-of-00002.safetensors")),
    ("tensor-not-in-shard", .tensorNotInShard("x.safetensors")),
    ("tensor-in-other-shard", .tensorNotInShard("y.safetensors")),
    ("tensor-not-in-index", .tensorNotInIndex(shard: "x.safetensors")),
    ("tensor-in-two-shards", .tensorInTwoShards("x.safetensors", "y.safetensors")),
    ("tensor-in-two-shards-unindexed", .tensorInTwoShards("x.safetensors", "y.safetensors")),
    ("ambiguous-model", .ambiguousModel(index: "model.safetensors.index.json", file: "model.safetensors")),
    ("ambiguous-index", .ambiguousIndex(["p.safetensors.index.json", "q.safetensors.index.json"])),
  ]

  @Test(arguments: checkpoints) func checkpointIsRefused(_ name: String, _ reason: ShardReason) throws {
    let path = "\(Self.folder)/\(name)"
    let error = #expect(throws: ShardError.self) {
      try ShardedSafetensors(name.hasPrefix("index-") ? path + ".safetensors.index.json" : path)
    }
    #expect(error?.reason == reason)
  }

  @Test func everySampleIsInATable() throws {
    let known = Set(Self.all.map { $0.0 + ".safetensors" } + Self.checkpoints.map(\.0))
    for name in try Path.entries(of: Self.folder) where name != "README.md" && name != "make.py" {
      let sample = name.hasPrefix("index-") ? String(name.prefix { $0 != "." }) : name
      #expect(known.contains(sample), "\(name)")
    }
  }
}
