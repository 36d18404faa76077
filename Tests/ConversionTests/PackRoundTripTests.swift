import BaleFormat
import ByteIO
import Checkpoints
import Conversion
import JSON
import Tensors
import TestSupport
import Testing
import Verification

/// Whole packs, and the way back.
@Suite struct PackRoundTripTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// Packs and unpacks; the files must be those of the source, byte for byte.
  private func expectRestored(
    _ source: String, recipe: String = "lossless", options: PackOptions = PackOptions(),
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let report = try Jobs.pack(source, to: directory.file("a.bale"), recipe: recipe, options: options)
    let restored = try Jobs.unpack(report.written[0].path, to: directory.file("back"))
    #expect(restored.allSatisfy { $0.isOriginal && $0.isExact }, sourceLocation: sourceLocation)
    let found = try Jobs.contents(directory.file("back"))
    let expected =
      Path.isDirectory(source) ? try Jobs.contents(source) : [Path.name(of: source): try Fixtures.bytes(source)]
    #expect(Set(found.keys) == Set(expected.keys), sourceLocation: sourceLocation)
    for (name, bytes) in expected {
      let digest = found[name].map { SHA256.digest($0) }
      #expect(digest == SHA256.digest(bytes), "\(name)", sourceLocation: sourceLocation)
    }
  }

  @Test(arguments: [false, true])
  func losslessGivesEveryFileBack(isArchive: Bool) throws {
    var options = PackOptions()
    options.isArchive = isArchive
    options.sha256 = isArchive
    try expectRestored(Jobs.tiny, options: options)
  }

  @Test(
    .enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout"),
    arguments: [
      "models/upcycled", "fixtures/sharded", "fixtures/safetensors-writer/all_dtypes.safetensors",
      "fixtures/gguf/all_types.gguf", "fixtures/gguf/tiny-bf16.gguf", "fixtures/gguf/tiny-MXFP4_MOE.gguf",
      "fixtures/gguf/tiny-Q4_K.gguf", "fixtures/gguf/tiny-Q8_0.gguf",
      "fixtures/gpt-oss-mxfp4/hf_names.safetensors",
    ])
  func sharedFixturesComeBack(_ path: String) throws { try expectRestored(Fixtures.shared(path)) }

  @Test func shardedFilesComeBack() throws {
    var options = PackOptions()
    options.shardSize = 400 << 10
    let report = try Jobs.pack(Jobs.tiny, to: directory.file("s.bale"), options: options)
    #expect(report.written.count > 3)
    #expect(report.written.allSatisfy { $0.size <= 400 << 10 })
    for file in report.written {
      let restored = try Jobs.unpack(file.path, to: directory.file("back-\(Path.name(of: file.path))"))
      #expect(restored.allSatisfy { $0.isOriginal })
    }
    #expect(
      try Jobs.contents(directory.file("back-\(Path.name(of: report.written[0].path))")) == Jobs.contents(Jobs.tiny))
  }

  /// Those that go by statistics, and the other names of those without, have tests of their own.
  private static let recipes =
    Recipe.builtInNames.filter { name in !["rtn-", "gptq-", "spqr", "moe-"].contains { name.hasPrefix($0) } }
    + ["rtn-ternary", "keep"]

  @Test(arguments: recipes)
  func everyRecipeHoldsAgainstItsSource(_ name: String) throws {
    let recipe = name == "keep" ? Recipe(name: name, rules: []) : try Recipe(named: name)
    let path = directory.file("a.bale")
    let report = try Jobs.pack(Jobs.tiny, to: path, recipe: recipe)
    let verified = try Verifier(path, against: Jobs.tiny)
      .run(resources: Resources(threads: 2, memory: 64 << 20)) { _ in }
    #expect(verified.damage.isEmpty)
    #expect(verified.mismatches == [])
    #expect(verified.bytesChecked == report.written.reduce(0) { $0 + $1.size })
    let quantized = report.plan.tensors.count { !$0.isExact }
    #expect(verified.comparison.count { $0.difference.kind == .values } == quantized)
    #expect((quantized == 0) == (name == "lossless" || name == "keep"))
    let restored = try Jobs.unpack(path, to: directory.file("back"))
    for file in restored { #expect(file.isOriginal == (file.name != "model.safetensors" || quantized == 0)) }
  }

  @Test func quantizedFilesComeBackInTheirLayoutWithTheValuesKept() throws {
    let path = directory.file("a.bale")
    try Jobs.pack(Jobs.tiny, to: path, recipe: "int4-experts")
    try Jobs.unpack(path, to: directory.file("back"))
    let (before, after) = (try Jobs.values(Jobs.tiny), try Jobs.values(directory.file("back")))
    #expect(Set(before.keys) == Set(after.keys))
    for (name, tensor) in before { #expect((after[name] == tensor) == !name.contains(".experts."), "\(name)") }
    // The values are those that `convert --dequantize` gives.
    try Jobs.convert(path, to: directory.file("decoded.safetensors"), dequantized: .bf16)
    #expect(try Jobs.values(directory.file("decoded.safetensors")) == after)
  }

  @Test func emptyScalarAndRareTensorsSurvive() throws {
    let sample = try OddTensors.write(directory.file("odd.safetensors"))
    for recipe in ["* lossless", "* keep"] {
      let parsed = try Recipe(parsing: Array(recipe.utf8), file: "r")
      let path = directory.file("odd-\(recipe.suffix(4)).bale")
      try Jobs.pack(sample, to: path, recipe: parsed)
      let restored = try Jobs.unpack(path, to: directory.file("back-\(recipe.suffix(4))"))
      #expect(restored.allSatisfy { $0.isOriginal })
      let report = try Verifier(path, against: sample).run(resources: Resources(threads: 1, memory: 16 << 20)) { _ in }
      #expect(report.holds)
      // F4 and C64 have no conversion, yet safetensors holds them as they are.
      try Jobs.convert(path, to: directory.file("odd-\(recipe.suffix(4)).safetensors"))
      #expect(try Jobs.values(directory.file("odd-\(recipe.suffix(4)).safetensors")) == Jobs.values(sample))
    }
  }

  @Test(arguments: ["mxfp4", "int4", "int4:group=row", "int8:group=tensor", "nf4", "ggml:type=Q8_0", "plain:dtype=F16"])
  func rulesForAllTensorsPassEmptyAndRareOnes(_ encoding: String) throws {
    guard let recipe = try? Recipe(parsing: Array("* \(encoding)".utf8), file: "r") else { return }
    let sample = try OddTensors.write(directory.file("odd.safetensors"), blocksOnly: encoding.hasPrefix("ggml"))
    let path = directory.file("odd.bale")
    try Jobs.pack(sample, to: path, recipe: recipe)
    let report = try Verifier(path, against: sample).run(resources: Resources(threads: 2, memory: 16 << 20)) { _ in }
    #expect(report.mismatches == [])
    try Jobs.unpack(path, to: directory.file("back"))
  }
}

/// Tensors that are rare, empty or without dimensions.
enum OddTensors {
  /// - Parameter blocksOnly: true for floats whose rows are whole blocks of 32 alone.
  static func write(_ path: String, blocksOnly: Bool = false) throws -> String {
    var sample = Sample(seed: 77)
    for dtype in DType.allCases {
      if blocksOnly && dtype.isFloat { continue }
      try sample.add("\(dtype.rawValue).weight", dtype, [4, 8])
      try sample.add("\(dtype.rawValue).empty", dtype, [0, 8])
      try sample.add("\(dtype.rawValue).hollow", dtype, [3, 0])
      if dtype.bits >= 8 { try sample.add("\(dtype.rawValue).scalar", dtype, []) }
    }
    try sample.add("model.layers.0.mlp.experts.0.w1.weight", .bf16, [0, 32])
    try sample.add("model.layers.0.mlp.experts.down_proj", .bf16, [0, 4, 32])
    try sample.add("model.layers.1.mlp.experts.down_proj", .bf16, [2, 0, 32])
    try sample.add("blocks.weight", .f32, [5, 64])
    sample.removeNaN()
    return try sample.write(path)
  }
}
