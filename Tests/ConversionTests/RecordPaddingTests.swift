import BaleFormat
import ByteIO
import Checkpoints
import Codecs
import Conversion
import Tensors
import TestSupport
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

/// The same of records whose planes have the sizes that entropy coding gives them: no plan knows these, so files are
/// written.
@Suite struct TrellisPaddingTests {
  /// Half of 16 KiB on average, and half of 128 bytes a plane.
  @Test(arguments: RecordPaddingTests.models, [1.6, 2.0]) func isUnderOnePercent(
    _ model: RecordPaddingTests.Model, bits: Double
  ) throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("experts.bale")
    let writer = try BaleWriter(path)
    let codec = try ResidualCodec(TrellisCodec(), reference: "bale.centroid.0.gate.0")
    let shapes = [[model.neurons, model.width], [model.neurons, model.width], [model.width, model.neurons]]
    let experts = max(2, 80_000_000 / (model.neurons * model.width * 3))
    let ids = try (0..<experts).map { expert in
      try shapes.enumerated().map { matrix, shape in
        try writer.declare(
          TensorDeclaration(
            name: "\(expert).\(matrix)", dtype: .bf16, shape: try #require(Shape(shape)),
            encoding: "\(codec.descriptor)", isLossless: false))
      }
    }
    for expert in 0..<experts {
      let layouts = try shapes.map { try PartLayout(codec: codec, elements: $0[0] * $0[1], columns: $0[1]) }
      let parts = zip(layouts, ids[expert]).enumerated().map { matrix, part in
        PartDeclaration(tensor: part.1, range: 0..<shapes[matrix][0], layout: part.0)
      }
      try writer.beginRecord(.expert(layer: 0, expert: expert), parts: parts)
      for (part, layout) in layouts.enumerated() {
        let table = [UInt8](repeating: 0, count: layout.planes[1].decodedLength)
        try writer.append(try layout.chunk(plane: 1, index: 0, bytes: table), part: part)
        for span in 0..<layout.spanCount {
          // Experts differ in size by a few percent (measured: 0.5 to 14), of which 16 KiB are a small part: their
          // ends are spread evenly over it.
          let own = part == 0 && span == 0 ? 16384 * expert / experts : 0
          let size = Int(Double(layout.elements(inSpan: span)) * bits / 8) + own
          let codes = [UInt8](repeating: 1, count: size)
          try writer.append(try layout.chunk(plane: 0, index: span, bytes: codes), part: part)
        }
      }
      try writer.endRecord()
    }
    _ = try writer.commit()
    let file = try BaleFile(path)
    var (all, stored) = (0, 0)
    for record in file.records.map({ file.record($0) }) {
      guard case .expert = record.kind else { continue }
      #expect(record.range.lowerBound % 16384 == 0 && record.range.count % 16384 == 0)
      all += record.range.count
      stored += record.parts.reduce(0) { $0 + $1.part.planes.reduce(0) { $0 + $1.storedBytes } }
    }
    let share = Double(all - stored) / Double(stored)
    #expect(share >= 0 && share < 0.01, "\(model.name) at \(bits) bits: \(share)")
  }
}
