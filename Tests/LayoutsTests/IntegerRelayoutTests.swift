import Checkpoints
import Codecs
import Conversion
import Layouts
import TestSupport
import Testing

/// INT4 moved from one library's layout to another's, each code kept.
@Suite(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout"))
struct IntegerRelayoutTests {
  static let pairs: [(folder: String, name: String, tensor: String, writer: String)] =
    ["awq", "compressed-tensors", "mlx", "gptq"].flatMap { writer in
      [
        ("gptq", "gptq_4bit_asym_g32", "model.layers.0.mlp.down_proj.weight", writer),
        ("awq", "gemm_4bit_g64", "fc.weight", writer),
        ("compressed-tensors", "pack_int4_g32_sym_bf16", "model.layers.0.mlp.down_proj.weight", writer),
      ]
    } + [("bitsandbytes", "nf4_nested_float32", "model.layers.0.mlp.down_proj.weight", "bnb-nf4")]
    + [
      ("mlx", "affine_4bit_g64_f32", "fc.weight", "mlx"),
      ("gptq", "gptq_3bit_asym_g32", "model.layers.0.mlp.down_proj.weight", "gptq"),
    ]

  @Test(arguments: pairs)
  func everyValueStays(_ pair: (folder: String, name: String, tensor: String, writer: String)) throws {
    let fixture = try FixtureCheckpoint(pair.folder, pair.name)
    let source = try fixture.opened()
    let writer = try #require(LayoutWriters.find(pair.writer))
    let relaid = try RelaidCheckpoint(source, writer: writer, threads: 2)
    #expect(relaid.kept == 1 && relaid.quantized == 0)
    let plan = try ConvertPlan(relaid, request: ConvertRequest(format: .safetensors, isSingleFile: false))
    let path = fixture.directory.path + "/relaid"
    _ = try ConvertJob(relaid, plan: plan).run(
      to: ConvertDestination(path: path, isSingleFile: false, overwrite: false),
      resources: Resources(threads: 2, memory: 1 << 24)
    ) { _ in }
    let written = try Layouts.open(path)
    let (before, after) = (
      source.tensors.firstIndex { $0.name == pair.tensor }, written.tensors.firstIndex { $0.name == pair.tensor }
    )
    let index = try #require(after)
    #expect(try fixture.values(of: written, index) == fixture.values(of: source, try #require(before)))
    #expect(written.tensors[index].layout != nil)
  }

  /// Codes of a table have no place among integers: nothing is quantized that wasn't asked to be.
  @Test func whatNeedsRequantizingIsRefused() throws {
    let source = try FixtureCheckpoint("bitsandbytes", "nf4_plain_float32").opened()
    for name in ["gptq", "awq", "compressed-tensors", "mlx", "fp8-block"] {
      let writer = try #require(LayoutWriters.find(name))
      #expect(throws: PlanError.self) { try RelaidCheckpoint(source, writer: writer, threads: 1) }
    }
  }
}
