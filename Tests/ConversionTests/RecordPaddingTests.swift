import BaleFormat
import ByteIO
import Checkpoints
import Codecs
import Conversion
import Tensors
import Testing

/// Headers without weights.
private struct HeaderCheckpoint: Checkpoint {
  let tensors: [CheckpointTensor]
  let path = "headers"
  let format = ContainerFormat.safetensors
  let files: [CheckpointFile] = []
  let storage: [(path: String, size: Int)] = []
  let skipped: [String] = []
  let facts: [(key: String, value: String)] = []

  func read(_ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]) -> [Int] { [] }
  func segments(of file: CheckpointFile) -> [SourceSegment] { [] }
  func read(_ range: Range<Int>, of file: CheckpointFile) -> [UInt8] { [] }
  func open(_ file: CheckpointFile) throws -> InputFile { try InputFile(path) }
  func sha256(of file: CheckpointFile) -> [UInt8]? { nil }
  func checkUnchanged() {}
}

/// What a record of one expert takes beyond its planes, at the shapes of real models.
@Suite struct RecordPaddingTests {
  struct Model: Sendable {
    var name: String
    var experts: Int
    var neurons: Int
    var width: Int
  }

  static let models = [
    Model(name: "Qwen3-30B-A3B", experts: 128, neurons: 768, width: 2048),
    Model(name: "gpt-oss-120b", experts: 128, neurons: 2880, width: 2880),
    Model(name: "DeepSeek-V3", experts: 256, neurons: 2048, width: 7168),
  ]

  private static func layer(_ model: Model) throws -> HeaderCheckpoint {
    var tensors: [CheckpointTensor] = []
    for expert in 0..<model.experts {
      for name in ["gate_proj", "up_proj", "down_proj"] {
        let shape = try #require(
          Shape(name == "down_proj" ? [model.width, model.neurons] : [model.neurons, model.width]))
        tensors.append(
          CheckpointTensor(
            name: "model.layers.3.mlp.experts.\(expert).\(name).weight", shape: shape, codec: PlainCodec(.bf16)))
      }
    }
    return HeaderCheckpoint(tensors: tensors)
  }

  @Test(arguments: models, ["mxfp4-experts", "int4-experts"]) func isUnderOnePercent(
    _ model: Model, recipe: String
  ) throws {
    let plan = try PackPlan(try Self.layer(model), recipe: try Recipe(named: recipe))
    #expect(plan.records.count == model.experts)
    var estimate = BaleSizeEstimate()
    let empty = estimate.size
    var bytes = 0
    for record in plan.records {
      #expect(record.parts.count == 3, "gate, up and down are one record")
      try estimate.addRecord(record.kind, parts: record.parts.map(\.layout))
      bytes += record.parts.reduce(0) { $0 + $1.layout.planes.reduce(0) { $0 + $1.decodedLength } }
    }
    // The rows of the directory, too.
    let share = Double(estimate.size - empty - bytes) / Double(bytes)
    #expect(share >= 0 && share < 0.01, "\(model.name): \(share)")
  }
}
