import ByteIO
import Checkpoints
import Codecs
import Conversion
import Layouts
import Safetensors
import Tensors
import TestSupport
import Testing

/// Codes and scales from layout to layout without a bit changed.
@Suite(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout"))
struct FloatRelayoutTests {
  private let directory: TemporaryDirectory
  private let resources = Resources(threads: 2, memory: 64 << 20)

  init() throws { directory = try TemporaryDirectory() }

  /// A copy of a fixture's model with some tensors replaced.
  private func model(
    _ name: String, replacing: (CheckpointTensor) -> [SafetensorsWriter.Tensor]?
  ) throws -> String {
    let original = Fixtures.shared("fixtures/architectures/\(name)")
    let target = directory.file(name)
    try Path.createDirectory(target)
    for file in ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"] {
      try FixtureCheckpoint.write(try Fixtures.bytes("\(original)/\(file)"), to: "\(target)/\(file)")
    }
    let checkpoint = try Checkpoints.open(original)
    var tensors: [SafetensorsWriter.Tensor] = []
    for (index, tensor) in checkpoint.tensors.enumerated() {
      if let replaced = replacing(tensor) {
        tensors += replaced
        continue
      }
      let bytes = try SpanReader(checkpoint, tensor: index).read(0..<tensor.shape.elements)
      tensors.append(stored(tensor.name, .bf16, tensor.shape.dimensions, bytes.withSpan { Array($0.planes[0]) }))
    }
    try SafetensorsWriter.write(tensors, to: "\(target)/model.safetensors")
    return target
  }

  private func stored(
    _ name: String, _ dtype: DType, _ shape: [Int], _ bytes: [UInt8]
  ) -> SafetensorsWriter.Tensor {
    SafetensorsWriter.Tensor(SafetensorsTensorSpec(name, dtype, Shape(shape) ?? .scalar), bytes)
  }

  private func convert(_ checkpoint: any Checkpoint, to path: String, format: ContainerFormat) throws {
    let isSingleFile = format == .gguf
    let request = ConvertRequest(
      format: format, isSingleFile: isSingleFile, recipe: Recipe(name: "keep", rules: []), dequantized: nil,
      shardSize: nil)
    let plan = try ConvertPlan(checkpoint, request: request)
    _ = try ConvertJob(checkpoint, plan: plan)
      .run(
        to: ConvertDestination(path: path, isSingleFile: isSingleFile, overwrite: false), resources: resources
      ) { _ in }
  }

  private func plainBytes(_ path: String) throws -> [String: [UInt8]] {
    let file = try SafetensorsFile(path)
    return Dictionary(uniqueKeysWithValues: try file.tensors.map { ($0.name, try file.bytes(of: $0)) })
  }

  /// Random codes under every scale byte, NaN's too: to GGUF and back, to .bale and back.
  @Test func gptOSSKeepsEveryByte() throws {
    var random = SplitMix64(seed: 4)
    let source = try model("gptoss") { tensor in
      let parts = tensor.name.split(separator: ".")
      guard let last = parts.last, last == "gate_up_proj" || last == "down_proj" else { return nil }
      let rows = last == "down_proj" ? 64 : 128
      let codes = (0..<4 * rows * 32).map { _ in UInt8.random(in: 0...255, using: &random) }
      let scales = (0..<4 * rows * 2).map { UInt8(truncatingIfNeeded: $0) }
      return [
        stored("\(tensor.name)_blocks", .u8, [4, rows, 2, 16], codes),
        stored("\(tensor.name)_scales", .u8, [4, rows, 2], scales),
      ]
    }
    let before = try plainBytes("\(source)/model.safetensors")
    #expect(before.keys.count { $0.hasSuffix("_blocks") } == 4)

    let seen = try Layouts.open(source)
    #expect(seen.tensors.count { $0.codec.descriptor.name == "mxfp4" } == 4)
    let view = try #require(try GGUFView(seen))
    try convert(view, to: directory.file("model.gguf"), format: .gguf)
    let back = try #require(try HuggingFaceView(try Checkpoints.open(directory.file("model.gguf")), dtype: nil))
    try convert(back, to: directory.file("back"), format: .safetensors)
    #expect(try plainBytes("\(directory.file("back"))/model.safetensors") == before)

    let recipe = try Recipe(named: "mxfp4-experts")
    let plan = try PackPlan(seen, recipe: recipe)
    _ = try PackJob(seen, plan: plan, options: PackOptions())
      .run(to: directory.file("model.bale"), resources: resources) { _ in }
    let packed = try BaleCheckpoint(directory.file("model.bale"))
    #expect(packed.tensors.count { $0.codec.descriptor.name == "mxfp4" } == 4)
    _ = try UnpackJob(packed).run(to: directory.file("unpacked"), overwrite: false, resources: resources) { _ in }
    #expect(
      try Fixtures.bytes("\(directory.file("unpacked"))/model.safetensors")
        == Fixtures.bytes("\(source)/model.safetensors"))
  }

  /// compressed-tensors to GGUF: the codes of every matrix whose rows are whole blocks.
  @Test(arguments: ["MXFP4", "NVFP4"]) func compressedTensorsKeepTheirCodes(type: String) throws {
    var random = SplitMix64(seed: 9)
    let isNVFP4 = type == "NVFP4"
    let source = try model("llama") { tensor in
      guard tensor.name.hasSuffix("_proj.weight") else { return nil }
      let (rows, columns) = (tensor.shape.dimensions[0], tensor.shape.dimensions[1])
      let codes = (0..<rows * columns / 2).map { _ in UInt8.random(in: 0...255, using: &random) }
      let module = tensor.name.dropLast("weight".count)
      let count = rows * columns / (isNVFP4 ? 16 : 32)
      let scales = (0..<count).map { _ in UInt8.random(in: 100...126, using: &random) }
      let factor: [UInt8] = [0, 0, 0x80, 0x41]
      return [
        stored("\(module)weight_packed", .u8, [rows, columns / 2], codes),
        stored(
          "\(module)weight_scale", isNVFP4 ? .f8e4m3 : .u8, [rows, columns / (isNVFP4 ? 16 : 32)], scales),
      ] + (isNVFP4 ? [stored("\(module)weight_global_scale", .f32, [1], factor)] : [])
    }
    let seen = try Layouts.open(source)
    let view = try #require(try GGUFView(seen))
    try convert(view, to: directory.file("model.gguf"), format: .gguf)
    let model = try Checkpoints.open(directory.file("model.gguf"))
    for (name, theirs) in [("ffn_gate", "mlp.gate_proj"), ("attn_v", "self_attn.v_proj")] {
      let output = try #require(model.tensors.firstIndex { $0.name == "blk.1.\(name).weight" })
      #expect(model.tensors[output].codec.descriptor == CodecDescriptor("ggml", ["type": type]))
      let input = try #require(seen.tensors.firstIndex { $0.name == "model.layers.1.\(theirs).weight" })
      let factor = try isNVFP4 ? values(model, "blk.1.\(name).scale")[0] : 1
      let found = try values(model, "blk.1.\(name).weight").map { $0 * factor }
      #expect(try found == values(seen, seen.tensors[input].name))
    }
    let down = try #require(model.tensors.first { $0.name == "blk.0.ffn_down.weight" })
    #expect((down.codec is PlainCodec) == isNVFP4)
  }

  private func values(_ checkpoint: any Checkpoint, _ name: String) throws -> [Float] {
    let index = try #require(checkpoint.tensors.firstIndex { $0.name == name })
    let reader = SpanReader(checkpoint, tensor: index)
    return try reader.read(0..<reader.elements).values(reader.codec).withFloats { Array($0) }
  }

  /// Decoded, the experts lie as transformers has them.
  @Test func plainGPTOSSIsWhatTransformersMakes() throws {
    let fixture = try FixtureCheckpoint("gpt-oss-mxfp4", "hf_names")
    let view = try #require(PlainGPTOSSView(try fixture.opened(), dtype: .bf16))
    for name in ["gate_up_proj", "down_proj"] {
      let index = try #require(view.tensors.firstIndex { $0.name == "model.layers.0.mlp.experts.\(name)" })
      let expected = try fixture.expectedValues("\(name)_hf_bf16")
      #expect(try fixture.values(of: view, index) == expected)
    }
  }
}
