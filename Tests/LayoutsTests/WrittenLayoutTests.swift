import Checkpoints
import Codecs
import Conversion
import JSON
import Layouts
import TestSupport
import Testing

/// Layouts written by Bale, read again as layouts of other libraries.
@Suite struct WrittenLayoutTests {
  private let directory: TemporaryDirectory
  private let resources = Resources(threads: 2, memory: 64 << 20)

  init() throws { directory = try TemporaryDirectory() }

  static let names = [
    "compressed-tensors-fp8", "compressed-tensors-mxfp4", "compressed-tensors-nvfp4", "fp8-block", "gptq", "awq",
    "compressed-tensors", "mlx", "bnb-nf4",
  ]

  private func writer(_ name: String) throws -> any LayoutWriter { try #require(LayoutWriters.find(name)) }

  private func write(_ checkpoint: any Checkpoint, to path: String) throws {
    let request = ConvertRequest(format: .safetensors, isSingleFile: false)
    let plan = try ConvertPlan(checkpoint, request: request)
    _ = try ConvertJob(checkpoint, plan: plan)
      .run(to: ConvertDestination(path: path, isSingleFile: false, overwrite: false), resources: resources) { _ in }
  }

  private func values(_ checkpoint: any Checkpoint, _ name: String) throws -> [UInt32] {
    let index = try #require(checkpoint.tensors.firstIndex { $0.name == name })
    let reader = SpanReader(checkpoint, tensor: index)
    return try reader.read(0..<reader.elements).values(reader.codec).withFloats { $0.map(\.bitPattern) }
  }

  /// What is read is what the encoding makes of the source; all else is untouched.
  @Test(arguments: Self.names) func isReadAsWhatWasWritten(layout: String) throws {
    let source = try Checkpoints.open(Fixtures.samples + "/tiny-mixtral")
    try write(RelaidCheckpoint(source, writer: writer(layout), threads: 2), to: directory.file("written"))
    let codec = try writer(layout).defaultEncoding.descriptor
    let recipe = Recipe(
      name: "same", rules: ["experts", "attention", "linear"].map { .init(Selector($0), .quantize(codec, nil)) })
    _ = try PackJob(source, plan: PackPlan(source, recipe: recipe), options: PackOptions())
      .run(to: directory.file("same.bale"), resources: resources) { _ in }
    let (written, same) = (
      try Layouts.open(directory.file("written")), try BaleCheckpoint(directory.file("same.bale"))
    )
    #expect(Set(written.tensors.map(\.name)) == Set(source.tensors.map(\.name)))
    for tensor in written.tensors {
      #expect(try values(written, tensor.name) == values(same, tensor.name), "\(tensor.name)")
    }
    // Parameters may be spelled otherwise: groups of 128 are rows where rows have 128 elements.
    func encoded(_ checkpoint: any Checkpoint) -> Set<String> {
      Set(checkpoint.tensors.filter { $0.codec.descriptor.name == codec.name }.map(\.name))
    }
    #expect(encoded(written) == encoded(same) && encoded(written).count == 32)
  }

  @Test(arguments: Self.names) func theConfigurationSaysHow(layout: String) throws {
    let source = try Checkpoints.open(Fixtures.samples + "/tiny-mixtral")
    try write(RelaidCheckpoint(source, writer: writer(layout), threads: 2), to: directory.file("written"))
    let config = try JSONValue(
      parsing: Fixtures.bytes(directory.file("written") + "/config.json"), duplicateKeys: .kept)
    let quantization = try #require(config["quantization_config"])
    let keys = ["ignore", "modules_to_not_convert", "llm_int8_skip_modules"]
    let listed = keys.lazy.compactMap { quantization[$0]?.array }.first?.compactMap(\.string)
    let dynamic = quantization["dynamic"]?.object?.members.map(\.key)
    if layout == "mlx" {
      #expect(quantization["bits"]?.int == 4)
    } else if let dynamic {
      #expect(dynamic.contains("-:^lm_head$") && dynamic.count == 3)
    } else {
      let ignored = try #require(listed)
      #expect(ignored.contains("lm_head") && ignored.contains("model.layers.0.block_sparse_moe.gate"))
      #expect(!ignored.contains("model.embed_tokens"))
    }
    #expect(config["architectures"]?[0]?.string == "MixtralForCausalLM")
  }

  /// Codes that are in the encoding already are kept: what is written again is the same.
  @Test func codesAreKept() throws {
    let source = try Checkpoints.open(Fixtures.samples + "/tiny-mixtral")
    try write(
      RelaidCheckpoint(source, writer: writer("compressed-tensors-nvfp4"), threads: 2), to: directory.file("first"))
    let first = try Layouts.open(directory.file("first"))
    try write(
      RelaidCheckpoint(first, writer: writer("compressed-tensors-nvfp4"), threads: 2), to: directory.file("second"))
    #expect(
      try Fixtures.bytes(directory.file("second") + "/model.safetensors")
        == Fixtures.bytes(directory.file("first") + "/model.safetensors"))
  }
}
