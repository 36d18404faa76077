import ByteIO
import Codecs
import Tensors
import TestSupport
import Testing

@testable import GGUF

/// What a plan refuses, because a reader would.
@Suite struct PlanTests {
  static let metadata: GGUFMetadata = ["general.architecture": .string("test")]

  private func tensor(_ name: String, _ dimensions: [Int], _ type: GGMLType = .f32) throws -> GGUFTensorInfo {
    GGUFTensorInfo(name: name, type: type, shape: try #require(Shape(dimensions)))
  }

  private func expect(
    _ reason: GGUFReason, tensor: String? = nil, _ metadata: GGUFMetadata = metadata,
    _ tensors: [GGUFTensorInfo] = [], alignment: Int? = nil, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(throws: GGUFError(reason, file: "out.gguf", tensor: tensor), sourceLocation: sourceLocation) {
      try GGUFHeader.plan(metadata: metadata, tensors: tensors, alignment: alignment, path: "out.gguf")
    }
  }

  @Test func refusesKeys() {
    expect(.emptyKey, ["": .bool(true)])
    expect(.keyTooLong(bytes: 65536), [String(repeating: "k", count: 65536): .bool(true)])
  }

  @Test func refusesTensors() throws {
    let long = String(repeating: "\u{e9}", count: 32)
    expect(.nameTooLong(bytes: 64), tensor: long, Self.metadata, [try tensor(long, [1])])
    expect(.duplicateTensor, tensor: "t", Self.metadata, [try tensor("t", [1]), try tensor("t", [2])])
    expect(.tooManyDimensions(5), tensor: "t", Self.metadata, [try tensor("t", [1, 1, 1, 1, 1])])
    expect(.partialBlock(type: .q4_K, row: 128), tensor: "t", Self.metadata, [try tensor("t", [2, 128], .q4_K)])
    expect(.sizeOverflow(type: .f64, ne: [1 << 61]), tensor: "t", Self.metadata, [try tensor("t", [1 << 61], .f64)])
    expect(.shapeOverflow(ne: [1 << 62, 4, 0]), tensor: "t", Self.metadata, [try tensor("t", [0, 4, 1 << 62])])
    let half = try (0..<2).map { try tensor("t\($0)", [1 << 62], .i8) }
    expect(.sizeOverflow(type: .i8, ne: [1 << 62]), tensor: "t1", Self.metadata, half)
    expect(.totalOverflow, Self.metadata, [try tensor("t", [.max - 31], .i8)])
  }

  @Test func refusesArrays() {
    expect(.nestedArray(key: "a"), ["a": .array(.array([]))])
    var deep = GGUFArray.uint8([])
    for _ in 0..<GGUFLimits.arrayDepth { deep = .array([deep]) }
    #expect(throws: GGUFError(.arrayTooDeep(key: "a"), file: "out.gguf")) {
      try GGUFHeader.plan(metadata: ["a": .array(deep)], tensors: [], nestedArrays: true, path: "out.gguf")
    }
  }

  @Test func refusesTooMany() throws {
    let tensors = [GGUFTensorInfo](repeating: try tensor("t", [1]), count: GGUFLimits.entries + 1)
    expect(
      .tooMany(field: "the number of tensors", count: tensors.count, limit: GGUFLimits.entries), Self.metadata, tensors)
    let bytes = [UInt8](repeating: 0, count: GGUFLimits.headerBytes)
    expect(.headerTooLong(limit: GGUFLimits.headerBytes), ["a": .array(.uint8(bytes))])
  }

  @Test func alignment() throws {
    expect(.alignment(48), alignment: 48)
    expect(.alignment(0), alignment: -32)
    expect(.alignmentType(.uint64), ["general.alignment": .uint64(64)])

    let plan = try GGUFHeader.plan(metadata: Self.metadata, tensors: [tensor("t", [1])], alignment: 128)
    #expect(plan.header.count % 128 == 0)
    #expect(plan.fileSize == plan.header.count + 128)
    let read = try GGUFHeader(parsing: file(plan), path: "x")
    #expect(read.alignment == 128)
    #expect(read.metadata.integer("general.alignment") == 128)

    let given: GGUFMetadata = ["general.alignment": .uint32(64), "a": .bool(true)]
    #expect(try GGUFHeader.plan(metadata: given, tensors: []).alignment == 64)
    let changed = try GGUFHeader.plan(metadata: given, tensors: [], alignment: 32)
    #expect(
      try GGUFHeader(parsing: changed.header, path: "x").metadata.entries.map(\.key) == ["general.alignment", "a"])
  }

  /// Shapes are given outermost first and written innermost first; the bytes stay as they are.
  @Test func dimensionsAreReversed() throws {
    let plan = try GGUFHeader.plan(metadata: [:], tensors: [tensor("t", [2, 3, 5])])
    var expected = GGUFBuilder(tensors: 1)
    expected.tensor("t", ne: [5, 3, 2], type: 0, offset: 0)
    expected.pad(to: 32)
    #expect(plan.header == expected.bytes)
    #expect(plan.tensors[0].range == plan.header.count..<plan.header.count + 120)
  }

  /// Every type's exact size, against blocks and bytes.
  @Test(arguments: GGMLType.allCases) func sizesOfTypes(type: GGMLType) throws {
    let plan = try GGUFHeader.plan(
      metadata: [:], tensors: [tensor("t", [3, 2 * type.blockElements], type), tensor("next", [1])])
    #expect(plan.tensors[0].range.count == 6 * type.blockBytes)
    #expect(plan.tensors[1].range.lowerBound == plan.header.count + (6 * type.blockBytes + 31) / 32 * 32)
    let read = try GGUFHeader(parsing: file(plan), path: "x")
    #expect(read.tensors == plan.tensors)
  }
}
