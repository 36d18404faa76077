import Checkpoints
import Codecs
import Layouts
import TestSupport
import Testing

/// Tensors that the real libraries quantized, with what those libraries decode them to.
@Suite(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout"))
struct LayoutFixtureTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var folder: String
    var name: String
    var key: String
    var tensor: String
    /// The type that the library's result was rounded to, where it wasn't F32.
    var rounding: ScalarFloat?
    var arithmetic = Arithmetic.exact
    var testDescription: String { "\(folder)/\(name)" }
  }

  static func cases(
    _ folder: String, _ names: [String], _ key: String, _ tensor: String, rounding: ScalarFloat? = nil,
    arithmetic: Arithmetic = .exact
  ) -> [Case] {
    names.map {
      Case(folder: folder, name: $0, key: key, tensor: tensor, rounding: rounding, arithmetic: arithmetic)
    }
  }

  private static let gptq = [
    "2bit_asym_g32", "2bit_sym_g32", "3bit_asym_g32", "3bit_sym_g32", "4bit_asym_g32", "4bit_asym_g32_descact",
    "4bit_sym_g32", "4bit_sym_gm1", "8bit_asym_zero0_g32", "8bit_sym_g32", "p_3bit_asym_g32", "p_6bit_asym_g32",
    "p_7bit_asym_g32", "v2_2bit_asym_g32", "v2_2bit_sym_g32", "v2_3bit_asym_g32", "v2_3bit_asym_zero0_g32",
    "v2_3bit_sym_g32", "v2_4bit_asym_g32", "v2_4bit_asym_zero0_g32", "v2_4bit_sym_g32", "v2_8bit_asym_g32",
    "v2_8bit_asym_zero0_g32", "v2_8bit_sym_g32",
  ].map { "gptq_\($0)" }

  private static let bitsandbytes = ["fp4_nested", "fp4_plain", "nf4_nested", "nf4_plain"].flatMap { kind in
    ["bfloat16", "float16", "float32"].compactMap {
      kind == "fp4_nested" && $0 == "bfloat16" ? nil : "\(kind)_\($0)"
    }
  }

  private static let mlx = [
    "2bit_g128_f32", "2bit_g32_f32", "2bit_g64_bf16", "2bit_g64_f16", "2bit_g64_f32", "3bit_g128_f32",
    "3bit_g64_bf16", "3bit_g64_f16", "3bit_g64_f32", "4bit_g128_f32", "4bit_g32_f32", "4bit_g64_bf16",
    "4bit_g64_f16", "4bit_g64_f32", "5bit_g128_f32", "5bit_g32_f32", "5bit_g64_f16", "5bit_g64_f32", "6bit_g32_f32",
    "6bit_g64_bf16", "6bit_g64_f16", "6bit_g64_f32", "8bit_g128_f32", "8bit_g32_f32", "8bit_g64_bf16",
    "8bit_g64_f16", "8bit_g64_f32",
  ].map { "affine_\($0)" }

  private static let hqq = [
    "1bit_axis0", "2bit_axis0", "2bit_axis1", "3bit_axis1", "4bit_axis0", "4bit_axis1", "8bit_axis0", "8bit_axis1",
  ].map { "hqq_\($0)" }

  private static let compressedTensors =
    [
      "int2_channel_sym", "int2_channel_sym_v020", "int3_channel_sym", "int3_channel_sym_v020", "int3_g32_asym_v020",
      "int4_g32_asym_f32", "int4_g32_sym_f32", "int5_channel_sym", "int6_channel_sym",
      "int6_channel_sym_v020", "int7_channel_sym", "int7_channel_sym_v020", "int8_channel_sym",
      "int8_channel_sym_v020", "int8_g64_sym_f32",
    ].map { "pack_\($0)" }

  static let all: [Case] =
    cases("gptq", gptq, "weight_dequant_f32_out_in", "model.layers.0.mlp.down_proj.weight")
    + cases("awq", ["gemm_4bit_g64", "gemv_4bit_g64"], "weight_dequant_f32_out_in", "fc.weight")
    + cases(
      "bitsandbytes", bitsandbytes.filter { $0.hasSuffix("32") }, "weight_dequant_f32",
      "model.layers.0.mlp.down_proj.weight")
    + cases(
      "bitsandbytes", bitsandbytes.filter { !$0.hasSuffix("32") }, "weight_dequant_f32_from_f32",
      "model.layers.0.mlp.down_proj.weight")
    + cases("mlx", mlx.filter { $0.hasSuffix("f32") }, "dequant_f32", "fc.weight")
    + cases("metal", ["affine_2bit_g64", "affine_4bit_g64", "affine_8bit_g64"], "dequant_f32", "fc.weight")
    + cases("hqq", hqq, "dequant_f32", "fc.weight")
    + cases("quanto", ["qint4", "qint8"], "dequant_f32", "0.weight")
    + cases("bitnet", ["bitlinear"], "dequant_f32", "w.weight")
    + cases("torchao", ["int8wo", "intx4_g32"], "dequant_f32", "0.weight", rounding: .bf16)
    + cases("aqlm", ["aqlm_2x8"], "dequant_f32", "fc.weight")
    + cases("gemma", ["linear_int2", "linear_int4", "linear_int8"], "dequant_f32", "fc.weight")
    + cases("bitsandbytes", ["llm_int8"], "weight_dequant_f32", "fc.weight")
    + cases("compressed-tensors", compressedTensors, "weight_decompressed_f32", "model.layers.0.mlp.down_proj.weight")
    + cases(
      "compressed-tensors", ["int_channel_int8", "int_channel_int8_asym", "pack_int4_g32_sym_bf16"],
      "weight_decompressed", "model.layers.0.mlp.down_proj.weight", rounding: .bf16)
    + cases(
      "bitsandbytes", bitsandbytes.filter { $0.hasSuffix("bfloat16") }, "weight_dequant_native",
      "model.layers.0.mlp.down_proj.weight", rounding: .bf16)
    + cases("mlx", mlx.filter { !$0.hasSuffix("f32") }, "dequant_native", "fc.weight", arithmetic: .library)

  @Test(arguments: all)
  func decodesToWhatTheLibrarySays(_ fixture: Case) throws {
    let checkpoint = try FixtureCheckpoint(fixture.folder, fixture.name)
    let seen = try checkpoint.opened(fixture.arithmetic)
    let index = try #require(seen.tensors.firstIndex { $0.name == fixture.tensor })
    #expect(seen.tensors[index].layout != nil)
    let values = try checkpoint.values(of: seen, index).map { bits in
      fixture.rounding?.rounded(Float(bitPattern: bits)).bitPattern ?? bits
    }
    #expect(values == (try checkpoint.expectedValues(fixture.key)))
  }

  @Test(arguments: all)
  func comesBackByteForByte(_ fixture: Case) throws {
    let result = try FixtureCheckpoint(fixture.folder, fixture.name).roundTrip()
    #expect(result.differing.isEmpty)
    let encoding = try #require(result.encodings[fixture.tensor])
    #expect(!encoding.hasPrefix("plain") && !encoding.hasPrefix("split"))
  }
}
