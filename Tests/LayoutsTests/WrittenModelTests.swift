import ByteIO
import Checkpoints
import Codecs
import Conversion
import JSON
import Layouts
import Safetensors
import Tensors
import TestSupport
import Testing

/// Layouts of one kind of model: written, and read again.
@Suite struct WrittenModelTests {
  private let directory: TemporaryDirectory
  private let resources = Resources(threads: 2, memory: 64 << 20)

  init() throws { directory = try TemporaryDirectory() }

  /// A model of F32 tensors.
  private func model(_ tensors: [(String, [Int], [Float])]) throws -> any Checkpoint {
    let path = directory.file("model")
    try Path.createDirectory(path)
    let entries = try tensors.map { name, shape, values in
      let bytes = values.flatMap { value in
        (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) }
      }
      return SafetensorsWriter.Tensor(SafetensorsTensorSpec(name, .f32, try #require(Shape(shape))), bytes)
    }
    try SafetensorsWriter.write(entries, to: path + "/model.safetensors")
    try FixtureCheckpoint.write(Array("{}".utf8), to: path + "/config.json")
    return try Layouts.open(path)
  }

  /// Writes a checkpoint in a layout and opens it.
  private func written(_ source: any Checkpoint, _ layout: String) throws -> any Checkpoint {
    let writer = try #require(LayoutWriters.find(layout))
    let checkpoint = try RelaidCheckpoint(source, writer: writer, threads: 2)
    let plan = try ConvertPlan(checkpoint, request: ConvertRequest(format: .safetensors, isSingleFile: false))
    _ = try ConvertJob(checkpoint, plan: plan)
      .run(
        to: ConvertDestination(path: directory.file("written"), isSingleFile: false, overwrite: false),
        resources: resources
      ) { _ in }
    return try Layouts.open(directory.file("written"))
  }

  private func configuration() throws -> JSONValue {
    let config = try JSONValue(
      parsing: Fixtures.bytes(directory.file("written") + "/config.json"), duplicateKeys: .kept)
    return try #require(config["quantization_config"])
  }

  private func values(_ checkpoint: any Checkpoint, _ name: String) throws -> [Float] {
    let index = try #require(checkpoint.tensors.firstIndex { $0.name == name })
    let reader = SpanReader(checkpoint, tensor: index)
    return try reader.read(0..<reader.elements).values(reader.codec).withFloats { Array($0) }
  }

  /// The mean magnitude is the scale of all; what is nearer to 0 is 0.
  @Test func bitNet() throws {
    let name = "model.layers.0.mlp.down_proj.weight"
    let weights: [Float] = (0..<32).map { [0.5, -1.5, 0.25, 1.75][$0 % 4] }
    let written = try written(model([(name, [8, 4], weights), ("model.norm.weight", [4], [1, 2, 3, 4])]), "bitnet")
    #expect(written.tensors.first { $0.name == name }?.layout == "BitNet b1.58")
    #expect(try values(written, name) == weights.map { $0 == 0.25 || $0 == 0.5 ? 0 : $0 < 0 ? -1 : 1 })
    #expect(try values(written, "model.norm.weight") == [1, 2, 3, 4])
    #expect(try configuration()["linear_class"]?.string == "autobitlinear")
    let stored = try SafetensorsCheckpoint(directory.file("written"))
    #expect(stored.tensors.first { $0.name == name }?.shape.dimensions == [2, 4])
  }

  /// Experts lie with inputs before outputs, and their blocks run along the inputs.
  @Test func expertsOfGPTOSS() throws {
    let name = "model.layers.0.mlp.experts.down_proj"
    let grid: [Float] = [6, -4, 3, 0.5, -1.5, 0, 2, 1]
    let weights = (0..<2 * 64 * 6).map { index in
      // Each block of 32 inputs of an output has a value of 6.
      let (input, output) = (index / 6 % 64, index % 6)
      return grid[(input + output) % 8]
    }
    let source = try model([
      (name, [2, 64, 6], weights), ("model.layers.0.mlp.router.weight", [2, 64], weights.prefix(128) + []),
    ])
    let written = try written(source, "gpt-oss-mxfp4")
    let plain = try #require(PlainGPTOSSView(written, dtype: .f32))
    #expect(try values(plain, name) == weights)
    #expect(plain.tensors.first { $0.name == name }?.shape.dimensions == [2, 64, 6])
    let stored = try SafetensorsCheckpoint(directory.file("written"))
    let shapes = Dictionary(uniqueKeysWithValues: stored.tensors.map { ($0.name, $0.shape.dimensions) })
    #expect(shapes["\(name)_blocks"] == [2, 6, 2, 16] && shapes["\(name)_scales"] == [2, 6, 2])
    #expect(try configuration()["quant_method"]?.string == "mxfp4")
  }

  /// Codes with an order of their own keep it.
  @Test(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout")) func actOrder() throws {
    let fixture = try FixtureCheckpoint("gptq", "gptq_4bit_asym_g32_descact")
    let source = try fixture.opened()
    let written = try written(source, "gptq")
    let name = "model.layers.0.mlp.down_proj.weight"
    #expect(written.tensors.first { $0.name == name }?.layout == "GPTQ v2 4-bit")
    #expect(try values(written, name) == values(source, name))
    let configuration = try configuration()
    #expect(configuration["desc_act"]?.bool == true && configuration["group_size"]?.int == 32)
  }
}
