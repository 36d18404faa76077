import ByteIO
import Safetensors
import Tensors
import TestSupport
import Testing

struct WriterTests {
  func spec(_ name: String, _ dtype: DType, _ dimensions: [Int]) throws -> SafetensorsTensorSpec {
    SafetensorsTensorSpec(name, dtype, try #require(Shape(dimensions)))
  }

  func tensor(_ name: String, _ dtype: DType, _ dimensions: [Int], _ bytes: [UInt8]) throws -> SafetensorsWriter.Tensor
  {
    SafetensorsWriter.Tensor(try spec(name, dtype, dimensions), bytes)
  }

  /// A file as the Rust library writes it, its header given as text.
  func expected(_ header: String, _ data: [UInt8] = []) -> [UInt8] { file(header) + data }

  @Test func empty() throws {
    #expect(try SafetensorsWriter.encode([]) == expected("{}      "))
    #expect(
      try SafetensorsWriter.encode([], metadata: [.init("framework", "pt")])
        == expected(#"{"__metadata__":{"framework":"pt"}}     "#))
  }

  @Test func serialization() throws {
    let data: [UInt8] = [0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64]
    #expect(
      try SafetensorsWriter.encode([tensor("attn.0", .f32, [3], data)])
        == expected(#"{"attn.0":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}    "#, data))
  }

  @Test func fp4() throws {
    #expect(
      try SafetensorsWriter.encode([tensor("attn.0", .f4, [1, 2], [0x21])])
        == expected(#"{"attn.0":{"dtype":"F4","shape":[1,2],"data_offsets":[0,1]}}    "#, [0x21]))
    #expect(throws: Fault(SafetensorsReason.misalignedSlice(dimensions: [1, 3], dtype: .f4), file: "x", tensor: "a")) {
      try SafetensorsHeader.plan(tensors: [spec("a", .f4, [1, 3])], file: "x")
    }
    let error = #expect(throws: SafetensorsError.self) {
      try SafetensorsWriter.encode([tensor("attn.0", .f4, [1, 2], [0, 0])])
    }
    #expect(error?.reason == .invalidTensorView(expected: 1, found: 2))
  }

  @Test func forcedAlignment() throws {
    let plan = try SafetensorsHeader.plan(tensors: [spec("attn0", .f32, [1, 1, 2, 3])])
    #expect(plan.headerBytes.count == 80)
    #expect(plan.headerBytes[0] == 72)
    #expect(plan.ranges == [80..<104])
  }

  @Test func widestFirstThenByBytesOfTheName() throws {
    let names = ["b", "a", "e\u{301}", "\u{E9}", "\u{FB00}", "Z", "\u{1F600}"]
    let wide = try spec("zz", .u64, [1])
    let narrow = try spec("0", .bool, [1])
    let plan = try SafetensorsHeader.plan(tensors: [narrow] + names.map { try spec($0, .bf16, [1]) } + [wide])
    #expect(plan.fileOrder == [8, 6, 2, 1, 3, 4, 5, 7, 0])
    #expect(plan.ranges[8].lowerBound == plan.headerBytes.count)
    #expect(plan.ranges[0].upperBound == plan.fileSize)
  }

  @Test func everyDTypeInItsPlace() throws {
    let specs = try DType.allCases.map { try spec($0.rawValue, $0, [8]) }
    #expect(try SafetensorsHeader.plan(tensors: specs).fileOrder == (0..<22).reversed())
  }

  @Test func givenOrderIsKept() throws {
    let specs = [try spec("b", .u8, [3]), try spec("a", .f32, [1]), try spec("c", .i8, [0])]
    let plan = try SafetensorsHeader.plan(tensors: specs, order: .asGiven)
    #expect(plan.fileOrder == [0, 1, 2])
    let start = plan.headerBytes.count
    #expect(plan.ranges == [start..<start + 3, start + 3..<start + 7, start + 7..<start + 7])
    let header = try read(plan.headerBytes + [UInt8](repeating: 0, count: 7))
    #expect(header.tensors.map(\.bytes) == plan.ranges)
  }

  @Test func refusals() throws {
    func reason(_ specs: [SafetensorsTensorSpec], _ metadata: [SafetensorsMetadataEntry]? = nil) -> SafetensorsReason? {
      (#expect(throws: SafetensorsError.self) {
        try SafetensorsHeader.plan(tensors: specs, metadata: metadata)
      })?.reason
    }
    let a = try spec("a", .u8, [1])
    #expect(reason([a, a]) == .duplicateName)
    #expect(reason([try spec("__metadata__", .u8, [1])]) == .reservedName)
    let huge = Int.max / 4
    #expect(
      reason([try spec("a", .f32, [huge])]) == .validationOverflow(dimensions: [UInt64(huge)], dtype: .f32))
    let large = try (0..<5).map { try spec("\($0)", .u8, [1 << 60]) } + [spec("x", .u8, [3 << 60])]
    #expect(reason(large) == .validationOverflow(dimensions: [3 << 60], dtype: .u8))
    let long = String(repeating: String(repeating: "a", count: 10_000), count: 10_000)
    #expect(reason([], [.init("k", long)]) == .headerTooLarge(length: 100_000_001))
  }

  @Test func writesAFile() throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("x.safetensors")
    let tensors = [try tensor("a", .u8, [3], [1, 2, 3]), try tensor("b", .bf16, [1], [4, 5])]
    try SafetensorsWriter.write(tensors, metadata: [.init("format", "pt")], to: path)
    #expect(try Fixtures.bytes(path) == SafetensorsWriter.encode(tensors, metadata: [.init("format", "pt")]))
    let opened = try SafetensorsFile(path)
    #expect(opened.metadata == [.init("format", "pt")])
    #expect(try opened["a"].map(opened.bytes(of:)) == [1, 2, 3])
    #expect(opened["c"] == nil)
    #expect(try opened.headerBytes() == Fixtures.bytes(path)[opened.header.headerRange].map(\.self))
    #expect(throws: IOError.self) { try SafetensorsWriter.write(tensors, to: path) }
  }
}
