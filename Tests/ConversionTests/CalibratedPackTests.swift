import BaleFormat
import ByteIO
import Calibration
import Checkpoints
import Codecs
import Conversion
import Layouts
import Safetensors
import Tensors
import TestSupport
import Testing
import Verification

/// Packing with solvers, from statistics that the tests make.
@Suite struct CalibratedPackTests {
  private let directory: TemporaryDirectory
  private let resources = Resources(threads: 2, memory: 64 << 20)
  private static let attention = "model.layers.0.self_attn."
  private static let expert = "model.layers.1.block_sparse_moe.experts."

  init() throws { directory = try TemporaryDirectory() }

  /// Statistics of inputs that go together in pairs: the same for all weights of that many columns.
  private func statistics(_ weights: [(name: String, columns: Int, tokens: Int)], first: Float = 1) throws -> String {
    let path = directory.file("stats.safetensors")
    var tensors: [SafetensorsWriter.Tensor] = []
    for (name, columns, tokens) in weights {
      var values = [Float](repeating: 0, count: columns * columns)
      for row in 0..<columns {
        let scale = 1 + Float(row % 7)
        values[row * columns + row] = scale * scale
        let pair = row ^ 1
        values[row * columns + pair] = 0.8 * scale * (1 + Float(pair % 7))
      }
      values[0] *= first
      let bytes = values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
      let count = (0..<8).map { UInt8(truncatingIfNeeded: tokens >> (8 * $0)) }
      let square = try #require(Shape([columns, columns]))
      let one = try #require(Shape([1]))
      tensors.append(SafetensorsWriter.Tensor(SafetensorsTensorSpec(name + ".hessian", .f32, square), bytes))
      tensors.append(SafetensorsWriter.Tensor(SafetensorsTensorSpec(name + ".count", .i64, one), count))
    }
    try SafetensorsWriter.write(tensors, to: path, overwrite: true)
    return path
  }

  private func recipe(_ rules: [(String, String)]) throws -> Recipe {
    Recipe(name: "test", rules: try rules.map { Recipe.Rule(Selector($0), try Treatment(parsing: $1)) })
  }

  @discardableResult private func pack(
    _ recipe: Recipe, _ statistics: String, to name: String, threads: Int = 2,
    set: (inout CalibrationOptions) -> Void = { _ in }
  ) throws -> PackReport {
    let checkpoint = try Checkpoints.open(Jobs.tiny)
    var options = CalibrationOptions(try CalibrationFile.open(statistics, for: checkpoint))
    set(&options)
    let plan = try PackPlan(checkpoint, recipe: recipe, calibration: options)
    return try PackJob(checkpoint, plan: plan, options: PackOptions())
      .run(to: directory.file(name), resources: Resources(threads: threads, memory: 64 << 20)) { _ in }
  }

  private func attentionStatistics(first: Float = 1) throws -> String {
    try statistics(["q", "k", "v", "o"].map { (Self.attention + "\($0)_proj.weight", 128, 5000) }, first: first)
  }

  @Test(arguments: [
    "int4:group=32", "int3:group=64,zero=code", "int2:group=32", "nf4:block=64", "mxfp4", "ternary:group=64",
    "bilevel:bits=3", "spqr:bits=3", "spqr:bits=2,outliers=BF16",
    "spqr:bits=3,order=permuted", "spqr:bits=3,arithmetic=F16,combine=addCompensated,order=permuted",
  ]) func solvedWeightsLoseLessOfTheirOutputs(_ encoding: String) throws {
    let stats = try attentionStatistics()
    let name = Self.attention + "k_proj.weight"
    let solved = try pack(recipe([(name, encoding + "@gptq")]), stats, to: "a.bale")
    let nearest = try pack(recipe([(name, encoding + "@calibrated")]), stats, to: "b.bale")
    let errors = (try #require(solved.outputError), try #require(nearest.outputError))
    #expect(errors.0 > 0 && errors.0 < 0.9 * errors.1, "\(errors)")
    for file in ["a.bale", "b.bale"] {
      let report = try Verifier(directory.file(file), against: Jobs.tiny).run(resources: resources) { _ in }
      #expect(report.holds, "\(report.mismatches)")
      #expect(report.comparison.filter { $0.difference.kind == .values }.map(\.difference.name) == [name])
    }
  }

  @Test func bytesDoNotDependOnThreads() throws {
    let stats = try attentionStatistics()
    let rules = try recipe([("attention", "keep"), (Self.attention + "q*", "spqr:bits=3@gptq")].reversed())
    try pack(rules, stats, to: "a.bale", threads: 1)
    try pack(rules, stats, to: "b.bale", threads: 4)
    #expect(try Fixtures.bytes(directory.file("a.bale")) == Fixtures.bytes(directory.file("b.bale")))
  }

  @Test func spendsTheBitsAskedFor() throws {
    let rules = try recipe([(Self.attention + "v*", "spqr:bits=3@gptq")])
    let report = try pack(rules, attentionStatistics(), to: "a.bale") { $0.targetBits = 4 }
    let bits = try #require(report.quantizedBits)
    #expect(bits > 3.9 && bits <= 4)
  }

  /// What int8 takes of the target is not there for outliers, and less than the dense part is refused.
  @Test func otherEncodingsCountInTheTarget() throws {
    let rules = try recipe([(Self.attention + "v*", "spqr:bits=3@gptq"), (Self.attention + "k*", "int8@gptq")])
    let report = try pack(rules, attentionStatistics(), to: "a.bale") { $0.targetBits = 6.2 }
    let bits = try #require(report.quantizedBits)
    #expect(bits > 6.1 && bits <= 6.2)
    #expect(throws: PlanError.self) {
      try pack(rules, attentionStatistics(), to: "b.bale") { $0.targetBits = 5.9 }
    }
    // The dense part alone doesn't suffice: an empty index takes a byte for each row of tiles.
    let alone = try recipe([(Self.attention + "v*", "spqr:bits=3,order=permuted@gptq")])
    #expect(throws: PlanError.self) {
      try pack(alone, attentionStatistics(), to: "b.bale") { $0.targetBits = 3.625 }
    }
  }

  @Test func expertsWithoutTokensTakeTheirPool() throws {
    let weights = [(name: Self.expert + "1.w2.weight", columns: 256, tokens: 900)]
    let rules = try recipe([(Self.expert + "0.w2.weight", "int4:group=64@gptq")])
    let report = try pack(rules, statistics(weights), to: "a.bale")
    #expect(try #require(report.outputError) > 0)
    let checkpoint = try Checkpoints.open(Jobs.tiny)
    let source = try CalibrationFile.open(statistics(weights), for: checkpoint)
    let coverage = CalibrationReport(
      checkpoint, recipe: try recipe([(Self.expert + "?.w2.weight", "int4")]), statistics: source)
    #expect(coverage.total.covered == [Self.expert + "1.w2.weight"])
    #expect(coverage.total.pooled.count == 3 && coverage.isComplete)
  }

  @Test func refusesWhatItCannotSolve() throws {
    let rules = try recipe([("attention", "int4@gptq")])
    let checkpoint = try Checkpoints.open(Jobs.tiny)
    #expect(throws: PlanError.self) { try PackPlan(checkpoint, recipe: rules) }
    let partly = try attentionStatistics()
    #expect { try pack(rules, partly, to: "a.bale") } throws: { error in
      (error as? PlanError)?.tensor == "model.layers.1.self_attn.k_proj.weight"
    }
    let short = try statistics([(Self.attention + "q_proj.weight", 64, 10)])
    #expect { try pack(recipe([(Self.attention + "q*", "int4@gptq")]), short, to: "a.bale") } throws: { error in
      "\(error)".contains("64 inputs")
    }
    for value in [Float.nan, -1, .infinity] {
      let bad = try attentionStatistics(first: value)
      #expect(throws: UnsolvedWeight.self) {
        try pack(recipe([(Self.attention + "q*", "int4@gptq")]), bad, to: "a.bale")
      }
      #expect(!Path.exists(directory.file("a.bale")))
    }
  }

  @Test func weightsWithoutStatisticsGoTheWayThatIsAsked() throws {
    let rules = try recipe([("*.self_attn.k_proj.weight", "int4@gptq")])
    let stats = try attentionStatistics()
    let other = "model.layers.1.self_attn.k_proj.weight"
    let kept = try pack(rules, stats, to: "a.bale") { $0.uncovered = .keep }
    #expect(kept.plan.tensors.first { $0.name == other }?.isExact == true)
    let rounded = try pack(rules, stats, to: "b.bale") { $0.uncovered = .nearest }
    let tensor = try #require(rounded.plan.tensors.first { $0.name == other })
    #expect(!tensor.isExact && tensor.producer == nil)
  }

  @Test func safetensorsTakeTheSolvedValues() throws {
    let rules = try recipe([(Self.attention + "q*", "spqr:bits=3@gptq")])
    let stats = try attentionStatistics()
    try pack(rules, stats, to: "a.bale")
    let checkpoint = try Checkpoints.open(Jobs.tiny)
    let options = CalibrationOptions(try CalibrationFile.open(stats, for: checkpoint))
    let plan = try PackPlan(checkpoint, recipe: rules, calibration: options)
    let view = CalibratedView(checkpoint, plan: plan, dtype: .f32, threads: 1)
    let differences = try CheckpointDiff(Checkpoints.open(directory.file("a.bale")), view)
      .run(resources: resources) { _ in }
    #expect(differences.allSatisfy { $0.kind == .identical })
  }

  /// What is solved for the kernels of SpQR's library is read from the library's files with the same values.
  @Test func solvedWeightsGoToSpQRsLibrary() throws {
    let name = Self.attention + "q_proj.weight"
    let encoding = "spqr:bits=3,arithmetic=F16,combine=addCompensated,order=permuted@gptq"
    try pack(recipe([(name, encoding)]), attentionStatistics(), to: "a.bale") { $0.targetBits = 4.1 }
    let packed = try BaleCheckpoint(directory.file("a.bale"))
    let files = try PublishedSpQRFiles(packed, sparse: .csr)
    let request = ConvertRequest(format: .safetensors, isSingleFile: true)
    _ = try ConvertJob(files, plan: ConvertPlan(files, request: request)).run(
      to: ConvertDestination(path: directory.file("b.safetensors"), isSingleFile: true, overwrite: false),
      resources: resources
    ) { _ in }
    let written = try Layouts.open(directory.file("b.safetensors"))
    #expect(try values(written, name) == values(packed, name))
  }

  private func values(_ checkpoint: any Checkpoint, _ name: String) throws -> [UInt32] {
    let index = try #require(checkpoint.tensors.firstIndex { $0.name == name })
    let reader = SpanReader(checkpoint, tensor: index)
    return try reader.values(0..<reader.elements).withFloats { $0.map(\.bitPattern) }
  }

  @Test func namesOfSlices() {
    #expect(
      WeightName.slice(3, of: "model.layers.0.mlp.experts.gate_up_proj") == "model.layers.0.mlp.experts.3.gate_up_proj")
    #expect(WeightName.slice(0, of: "blk.2.ffn_up_exps.weight") == "blk.2.experts.0.ffn_up_exps.weight")
  }
}
