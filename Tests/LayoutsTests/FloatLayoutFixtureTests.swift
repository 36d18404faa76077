import Checkpoints
import Codecs
import Conversion
import Layouts
import TestSupport
import Testing

/// Tensors with float codes that the real libraries quantized, with what those libraries decode them to.
@Suite(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout"))
struct FloatLayoutFixtureTests {
  struct Case: CustomTestStringConvertible, Sendable {
    var folder: String
    var name: String
    var key: String
    var tensor: String
    var encoding: String
    /// The library gives BF16.
    var halved = false
    var testDescription: String { "\(folder)/\(name)" }
  }

  private static let module = "model.layers.0.mlp.down_proj.weight"

  private static let compressed = [
    ("float_block_fp8", "fp8:element=E4M3,scale=BF16,rows=32,columns=32"),
    ("float_channel_fp8", "fp8:element=E4M3,scale=BF16,rows=1,columns=all"),
    ("float_tensor_fp8", "fp8:element=E4M3,scale=BF16,rows=all,columns=all"), ("mxfp4", "mxfp4"),
    ("mxfp6_v020", "mxfp6e2m3"), ("nvfp4", "nvfp4:global=divide,zero=signed"),
  ].map {
    Case(
      folder: "compressed-tensors", name: $0.0, key: "weight_decompressed", tensor: module, encoding: $0.1, halved: true
    )
  }

  static let all: [Case] =
    compressed + [
      Case(
        folder: "modelopt", name: "nvfp4", key: "dequant_f32", tensor: module,
        encoding: "nvfp4:global=multiply,zero=unsigned"),
      Case(folder: "modelopt", name: "mxfp8", key: "dequant_f32", tensor: "w.weight", encoding: "mxfp8e4m3"),
      Case(
        folder: "fp8", name: "deepseek_v3_block128", key: "dequant_f32", tensor: module,
        encoding: "fp8:element=E4M3,scale=F32,rows=128,columns=128"),
      Case(
        folder: "fp8", name: "deepseek_v4_fp4_expert", key: "dequant_f32",
        tensor: "layers.0.ffn.experts.0.w1.weight", encoding: "mxfp4"),
      Case(
        folder: "fp8", name: "deepseek_v4_ue8m0", key: "dequant_f32", tensor: "w.weight",
        encoding: "fp8:element=E4M3,scale=E8M0,rows=128,columns=128"),
      Case(folder: "fp8", name: "mxfp8_uint8scale", key: "dequant_f32", tensor: "w.weight", encoding: "mxfp8e4m3"),
      Case(
        folder: "fp8", name: "per_tensor_static", key: "dequant_f32", tensor: "w.weight",
        encoding: "fp8:element=E4M3,scale=F32,rows=all,columns=all"),
      Case(folder: "mlx", name: "mxfp4", key: "dequant_f32", tensor: "fc.weight", encoding: "mxfp4"),
      Case(folder: "mlx", name: "mxfp8", key: "dequant_f32", tensor: "fc.weight", encoding: "mxfp8e4m3"),
      Case(
        folder: "mlx", name: "nvfp4", key: "dequant_f32", tensor: "fc.weight",
        encoding: "nvfp4:global=none,zero=signed"),
      Case(
        folder: "mlx", name: "nvfp4_global_scale", key: "dequant_f32", tensor: "fc.weight",
        encoding: "nvfp4:global=absmax,zero=signed"),
      Case(
        folder: "torchao", name: "float8wo", key: "dequant_native", tensor: "0.weight",
        encoding: "fp8:element=E4M3,scale=F32,rows=1,columns=all", halved: true),
      Case(
        folder: "quanto", name: "qfloat8", key: "dequant_f32", tensor: "0.weight",
        encoding: "fp8:element=E4M3,scale=F32,rows=1,columns=all"),
      Case(
        folder: "gpt-oss-mxfp4", name: "original_names", key: "mlp1_f32", tensor: "block.0.mlp.mlp1_weight",
        encoding: "mxfp4"),
      Case(
        folder: "gpt-oss-mxfp4", name: "original_names", key: "mlp2_f32", tensor: "block.0.mlp.mlp2_weight",
        encoding: "mxfp4"),
    ]

  @Test(arguments: all) func decodesToWhatTheLibrarySays(_ fixture: Case) throws {
    let checkpoint = try FixtureCheckpoint(fixture.folder, fixture.name)
    let seen = try checkpoint.opened()
    let index = try #require(seen.tensors.firstIndex { $0.name == fixture.tensor })
    #expect("\(seen.tensors[index].codec.descriptor)" == fixture.encoding)
    let values = try checkpoint.values(of: seen, index)
    #expect(
      (fixture.halved ? values.map(Self.nearestBF16) : values) == (try checkpoint.expectedValues(fixture.key)))
  }

  /// The bits of an F32 rounded to BF16.
  private static func nearestBF16(_ bits: UInt32) -> UInt32 { (bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF_0000 }

  @Test(arguments: all) func comesBackByteForByte(_ fixture: Case) throws {
    let result = try FixtureCheckpoint(fixture.folder, fixture.name).roundTrip()
    #expect(result.differing.isEmpty)
    #expect(result.encodings[fixture.tensor] == fixture.encoding)
  }

  /// What transformers makes of gpt-oss has inputs before outputs.
  @Test(arguments: [("gate_up_proj", 64, 64), ("down_proj", 64, 32)])
  func gptOSSIsTransposed(name: String, rows: Int, columns: Int) throws {
    let checkpoint = try FixtureCheckpoint("gpt-oss-mxfp4", "hf_names")
    let seen = try checkpoint.opened()
    let index = try #require(seen.tensors.firstIndex { $0.name == "model.layers.0.mlp.experts.\(name)" })
    #expect(seen.tensors[index].shape.dimensions == [2, rows, columns])
    let values = try checkpoint.values(of: seen, index)
    let transposed = values.indices.map { position in
      let (expert, rest) = (position / (rows * columns), position % (rows * columns))
      return values[expert * rows * columns + rest % rows * columns + rest / rows]
    }
    #expect(transposed == (try checkpoint.expectedValues("\(name)_hf_f32")))
  }

  @Test func gptOSSComesBackByteForByte() throws {
    let result = try FixtureCheckpoint("gpt-oss-mxfp4", "hf_names").roundTrip()
    #expect(result.differing.isEmpty)
    #expect(result.encodings.values.count { $0 == "mxfp4" } == 2)
  }

  /// The byte 255 is NaN: kept, and refused where values are asked for.
  @Test func everyScaleByteIsKept() throws {
    let checkpoint = try FixtureCheckpoint("mlx", "mxfp4_all_scale_bytes")
    #expect(try checkpoint.roundTrip().differing.isEmpty)
    let seen = try checkpoint.opened()
    #expect(throws: (any Error).self) { try checkpoint.values(of: seen, 0) }
  }
}
