import BaleFormat
import Checkpoints
import Codecs
import Conversion
import TestSupport
import Testing

@Suite struct PackPlanTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func makePlan(_ source: String, _ recipe: String) throws -> PackPlan {
    try PackPlan(Checkpoints.open(source), recipe: Recipe(parsing: Array(recipe.utf8), file: "test"))
  }

  private func names(_ record: PackPlan.Record, _ plan: PackPlan) -> [String] {
    record.parts.map { plan.tensors[$0.tensor].name }
  }

  @Test func anExpertIsOneRecordOfGateUpDown() throws {
    let plan = try makePlan(Jobs.tiny, "experts mxfp4")
    let experts = plan.records.filter { if case .expert = $0.kind { true } else { false } }
    let kinds = (0..<2).flatMap { layer in (0..<4).map { RecordKind.expert(layer: layer, expert: $0) } }
    #expect(experts.map(\.kind) == kinds)
    for (index, record) in experts.enumerated() {
      let prefix = "model.layers.\(index / 4).block_sparse_moe.experts.\(index % 4)"
      #expect(names(record, plan) == ["w1", "w3", "w2"].map { "\(prefix).\($0).weight" })
      #expect(record.parts.allSatisfy { plan.tensors[$0.tensor].codec.shortName == "mxfp4" })
    }
  }

  @Test func everyElementIsInOneRecord() throws {
    for recipe in ["experts mxfp4", "* lossless", "", "linear int4:group=row"] {
      let plan = try makePlan(Jobs.tiny, recipe)
      for (index, tensor) in plan.tensors.enumerated() {
        let parts = plan.records.flatMap(\.parts).filter { $0.tensor == index }.sorted {
          $0.elements.lowerBound < $1.elements.lowerBound
        }
        #expect(parts.flatMap { Array($0.elements) } == Array(0..<tensor.shape.elements))
      }
    }
  }

  @Test(arguments: ["mxfp4-experts", "int4-linear", "nf4-linear"])
  func protectedTensorsAreKept(_ recipe: String) throws {
    let plan = try PackPlan(Checkpoints.open(Jobs.tiny), recipe: Recipe(named: recipe))
    for tensor in plan.tensors where ["router", "norms", "biases", "embeddings", "head"].contains(tensor.role.word) {
      #expect(tensor.codec.descriptor == PlainCodec(.bf16).descriptor && !tensor.compressed && tensor.isExact)
    }
    #expect(plan.tensors.contains { !$0.isExact })
  }

  @Test func stacksAreSlicedByExpert() throws {
    var sample = Sample()
    try sample.add("model.layers.5.mlp.experts.gate_up_proj", .bf16, [3, 64, 128])
    try sample.add("model.layers.5.mlp.experts.down_proj", .bf16, [3, 32, 64])
    try sample.add("model.layers.5.mlp.experts.down_proj_bias", .bf16, [3, 64])
    let plan = try makePlan(sample.write(directory.file("stack.safetensors")), "experts mxfp4")
    #expect(plan.records.map(\.kind) == (0..<3).map { .expert(layer: 5, expert: $0) })
    for (expert, record) in plan.records.enumerated() {
      #expect(
        names(record, plan).map { $0.split(separator: ".").last } == ["down_proj", "gate_up_proj", "down_proj_bias"])
      #expect(record.parts.map(\.slices) == Array(repeating: expert..<expert + 1, count: 3))
      #expect(record.parts.map(\.elements.count) == [32 * 64, 64 * 128, 64])
    }
  }

  @Test func aStackWhoseSlicesDontBeginAnewStaysWhole() throws {
    var sample = Sample()
    try sample.add("model.layers.0.mlp.experts.down_proj", .bf16, [4, 3, 8])
    let plan = try makePlan(sample.write(directory.file("short.safetensors")), "experts nf4")
    #expect(plan.records.map(\.kind) == [.tensor])
  }

  @Test func losslessStaysWholeAndCompressed() throws {
    let plan = try makePlan(Jobs.tiny, "* lossless")
    #expect(plan.records.allSatisfy { $0.kind == .tensor && $0.parts.count == 1 })
    #expect(plan.tensors.allSatisfy { $0.compressed && $0.isExact })
  }

  @Test func droppedTensorsAreListedWithTheReason() throws {
    let plan = try makePlan(Jobs.tiny, "router drop")
    #expect(plan.dropped.count == 2)
    #expect(plan.dropped.allSatisfy { $0.name.hasSuffix("gate.weight") && $0.reason.contains("test") })
    #expect(!plan.tensors.contains { $0.role == .router })
  }

  @Test func whatCantBeStoredNamesTheTensor() throws {
    var sample = Sample()
    try sample.add("odd.weight", .bf16, [4, 33])
    let path = try sample.write(directory.file("odd.safetensors"))
    #expect {
      try makePlan(path, "* ggml:type=Q4_0")
    } throws: { error in
      "\(error)".contains("odd.weight")
    }
  }

  @Test func integersAndComplexNumbersAreNeverQuantized() throws {
    var sample = Sample()
    try sample.add("model.layers.0.mlp.experts.gate_up_proj_blocks", .u8, [2, 4, 2, 16])
    try sample.add("model.layers.0.x.weight", .i32, [32, 32])
    try sample.add("model.layers.0.y.weight", .c64, [32, 32])
    let plan = try makePlan(sample.write(directory.file("codes.safetensors")), "* int4")
    #expect(plan.tensors.allSatisfy { $0.isExact && $0.codec is PlainCodec })
  }
}
