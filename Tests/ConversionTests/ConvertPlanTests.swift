import ByteIO
import Checkpoints
import Codecs
import Conversion
import Safetensors
import Tensors
import TestSupport
import Testing

@Suite struct ConvertPlanTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func makePlan(_ source: String, _ request: ConvertRequest) throws -> ConvertPlan {
    try ConvertPlan(Checkpoints.open(source), request: request)
  }

  @Test(arguments: [nil, 300 << 10, 1 << 20] as [Int?])
  func plannedSizesAreTheSizesWritten(_ shardSize: Int?) throws {
    let request = ConvertRequest(format: .safetensors, isSingleFile: false, shardSize: shardSize)
    let plan = try makePlan(Jobs.tiny, request)
    try Jobs.convert(Jobs.tiny, to: directory.file("out"), shardSize: shardSize)
    let files = try Jobs.contents(directory.file("out"))
    #expect(files.values.reduce(0) { $0 + $1.count } == plan.size)
    for file in plan.files {
      #expect(files[file.name]?.count == file.size)
      #expect(files[file.name]?.starts(with: file.header) == true)
    }
    let expected = plan.files.map(\.name) + plan.sidecars.map(\.name) + plan.made.map(\.name)
    #expect(Set(files.keys) == Set(expected))
    #expect((plan.files.count > 1) == (shardSize != nil))
    #expect(plan.made.map(\.name) == (shardSize == nil ? [] : ["model.safetensors.index.json"]))
  }

  @Test func plannedGGUFIsTheOneWritten() throws {
    let plan = try makePlan(Jobs.tiny, ConvertRequest(format: .gguf, isSingleFile: true))
    try Jobs.convert(Jobs.tiny, to: directory.file("a.gguf"))
    #expect(try Fixtures.bytes(directory.file("a.gguf")).count == plan.size)
  }

  @Test func outputsDontOverlapAndFillTheFile() throws {
    let plan = try makePlan(
      Jobs.tiny, ConvertRequest(format: .safetensors, isSingleFile: false, shardSize: 500 << 10))
    for (index, file) in plan.files.enumerated() {
      var end = file.header.count
      for range in plan.outputs.filter({ $0.file == index }).map(\.range).sorted(by: { $0.lowerBound < $1.lowerBound })
      {
        #expect(range.lowerBound == end)
        end = range.upperBound
      }
      #expect(end == file.size)
    }
  }

  @Test func aSingleFileIsNotCutInShards() throws {
    let request = ConvertRequest(format: .safetensors, isSingleFile: true, shardSize: 300 << 10)
    #expect(throws: PlanError.self) { _ = try makePlan(Jobs.tiny, request).files.count }
  }

  @Test func whatTheTargetCantHoldNamesTheTensorAndTheRemedy() throws {
    let bale = directory.file("a.bale")
    try Jobs.pack(Jobs.tiny, to: bale, recipe: "int4-experts")
    #expect {
      try makePlan(bale, ConvertRequest(format: .safetensors, isSingleFile: true))
    } throws: { error in
      "\(error)".contains("experts.0.w1.weight") && "\(error)".contains("--dequantize")
    }
    let plan = try makePlan(bale, ConvertRequest(format: .safetensors, isSingleFile: true, dequantized: .f16))
    let dtypes = Set(plan.outputs.map { ($0.codec as? PlainCodec)?.dtype })
    #expect(dtypes == [.bf16, .f16])
  }

  @Test func typesThatGGUFLacksAreRefusedByName() throws {
    var sample = Sample()
    try sample.add("flags", .bool, [4])
    let path = try sample.write(directory.file("bool.safetensors"))
    #expect {
      try makePlan(path, ConvertRequest(format: .gguf, isSingleFile: true))
    } throws: { error in
      "\(error)".contains("flags")
    }
  }
}
