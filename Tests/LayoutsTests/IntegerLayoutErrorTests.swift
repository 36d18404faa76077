import ByteIO
import Checkpoints
import Codecs
import Conversion
import Layouts
import Safetensors
import Tensors
import TestSupport
import Testing

/// What is wrong with integer layouts is said when the checkpoint is opened, with the tensor's name.
@Suite struct IntegerLayoutErrorTests {
  private let stored: StoredCheckpoint

  init() throws { stored = try StoredCheckpoint() }

  private func reason(_ tensors: [StoredCheckpoint.Stored], config: String? = nil) -> LayoutReason? {
    guard let error = stored.error(tensors, config: config) else { return nil }
    #expect(error.tensor?.hasSuffix("weight") == true)
    return error.reason
  }

  private static let gptq: [(name: String, dtype: DType, shape: [Int])] = [
    ("a.qweight", .i32, [16, 64]), ("a.qzeros", .i32, [4, 8]), ("a.scales", .f16, [4, 64]),
  ]

  @Test func missingCompanions() {
    #expect(reason(Self.gptq.filter { $0.name != "a.qzeros" }) == .missing("a.qzeros"))
    #expect(reason(Self.gptq.filter { $0.name != "a.qweight" }) == .missing("a.qweight"))
    #expect(reason([("a.W_q", .u8, [8, 64]), ("a.scale", .f32, [1, 64])]) == .missing("a.zero"))
    #expect(reason([("a.weight_packed", .i32, [8, 16])]) == .missing("a.weight_scale"))
    #expect(
      reason([("a.weight_packed", .i32, [8, 16]), ("a.weight_scale", .f16, [8, 1])]) == .missing("a.weight_shape"))
    #expect(reason([("a.weight", .u8, [64, 1]), ("a.weight.absmax", .f32, [2])]) == .missing("a.weight.quant_state"))
    #expect(reason([("a.weight._data", .i8, [8, 16])]) == .missing("a.weight._scale"))
  }

  @Test func aScaleOfTheInputsIsNotIgnored() throws {
    try expectRefusal(Self.gptq + [("a.pre_quant_scale", .f16, [64])], of: "a.weight", naming: "pre_quant_scale")
    let int4: [StoredCheckpoint.Stored] = [("a.weight", .u8, [8, 64]), ("a.weight_scale", .f32, [16, 2])]
    #expect(reason(int4 + [("a.pre_quant_scale", .bf16, [64])]) == nil)
    #expect(
      reason(int4 + [("a.pre_quant_scale", .bf16, [32])])
        == .shape(stored: "a.pre_quant_scale", found: [32], expected: "[64]"))
    try expectRefusal(int4 + [("a.weight_scale_2", .f32, [])], of: "a.weight", naming: "W4A8")
  }

  /// GPTQ is seen without a configuration, and where auto-round's speaks of its packing.
  @Test func namesAndShapesAreEnough() throws {
    for config in [nil, #"{"quantization_config":{"quant_method":"auto-round","bits":4,"group_size":32}}"#] {
      #expect(try stored.open(Self.gptq, config: config).tensors.map(\.layout) == ["GPTQ v1 4-bit"])
    }
  }

  /// A tensor that can't be read as values is left as it is stored, archived, and not converted.
  private func expectRefusal(_ tensors: [StoredCheckpoint.Stored], of name: String, naming layout: String) throws {
    let checkpoint = try stored.open(tensors)
    #expect(Set(checkpoint.tensors.map(\.name)) == Set(tensors.map(\.name)))
    let refusal = #expect(throws: UnreadableLayout.self) {
      try ConvertPlan(
        checkpoint, request: ConvertRequest(format: .safetensors, isSingleFile: false, dequantized: .bf16))
    }
    #expect(refusal?.tensor == name && refusal?.layout.contains(layout) == true)
    let resources = Resources(threads: 1, memory: 1 << 24)
    let directory = try TemporaryDirectory()
    let bale = directory.file("refused.bale")
    _ = try PackJob(checkpoint, plan: PackPlan(checkpoint, recipe: Recipe(named: "lossless")), options: PackOptions())
      .run(to: bale, resources: resources) { _ in }
    let restored = try UnpackJob(BaleCheckpoint(bale))
      .run(to: directory.file("refused"), overwrite: false, resources: resources) { _ in }
    #expect(restored.allSatisfy { $0.isOriginal })
  }

  @Test func vectorsOutOfCodebooks() throws {
    let aqlm: [StoredCheckpoint.Stored] = [("a.codebooks", .f16, [2, 256, 1, 8]), ("a.codes", .i8, [4, 2, 2])]
    #expect(reason(aqlm) == .missing("a.scales"))
    #expect(
      reason(aqlm + [("a.scales", .f16, [3, 1, 1, 1])])
        == .shape(stored: "a.scales", found: [3, 1, 1, 1], expected: "[4, 1, 1, 1]"))
    #expect(reason(aqlm + [("a.scales", .f16, [4, 1, 1, 1])]) == nil)
    let pairs: [StoredCheckpoint.Stored] = [
      ("a.codebooks", .f16, [1, 256, 2, 8]), ("a.codes", .i8, [4, 2, 1]), ("a.scales", .f16, [4, 1, 1, 1]),
    ]
    #expect(try stored.open(pairs).tensors.map(\.shape.dimensions) == [[8, 16]])
  }

  private func gptqConfig(_ members: String) -> String {
    #"{"quantization_config":{"quant_method":"gptq",\#(members)}}"#
  }

  @Test func theConfigurationAndTheTensorsDisagree() {
    for members in [#""bits":8"#, #""bits":4,"group_size":50"#, #""bits":3,"group_size":32"#] {
      guard case .disagreement = reason(Self.gptq, config: gptqConfig(members)) else {
        Issue.record("\(members) was believed")
        continue
      }
    }
    #expect(reason(Self.gptq, config: gptqConfig(#""bits":4,"group_size":32"#)) == nil)
    let mlx: [StoredCheckpoint.Stored] = [
      ("a.weight", .u32, [8, 16]), ("a.scales", .f16, [8, 2]), ("a.biases", .f16, [8, 2]),
    ]
    guard case .disagreement = reason(mlx, config: #"{"quantization":{"bits":8,"group_size":64}}"#) else {
      Issue.record("a width that the words don't have was believed")
      return
    }
  }

  @Test func shapesAndTypesThatDoNotFit() {
    var tensors = Self.gptq
    tensors[2].shape = [4, 32]
    #expect(reason(tensors, config: gptqConfig(#""bits":4"#)) != nil)
    tensors = Self.gptq
    tensors[2].dtype = .i32
    guard case .dtype(stored: "a.scales", _, _) = reason(tensors) else {
      Issue.record("integer scales")
      return
    }
    guard case .shape(stored: "a.SCB", _, _) = reason([("a.weight", .i8, [8, 16]), ("a.SCB", .f32, [7])]) else {
      Issue.record("a row without a scale")
      return
    }
  }

  /// A shape tensor may name more columns than can be counted in bits.
  @Test func aShapeBeyondCountingIsRefused() {
    let tensors: [StoredCheckpoint.Stored] = [
      ("a.weight_packed", .i32, [8, 16]), ("a.weight_scale", .f16, [8, 1]), ("a.weight_shape", .i64, [1]),
    ]
    let config = #"{"quantization_config":{"quant_method":"compressed-tensors","format":"pack-quantized"}}"#
    #expect(reason(tensors, config: config) == .value("the shape [8, 72340172838076673] can't be counted"))
  }

  /// Kernels' own layouts are named, and still packed as they are.
  @Test func unreadableLayoutsAreRefusedByName() throws {
    for (config, name) in [
      (gptqConfig(#""checkpoint_format":"marlin","bits":4"#), "Marlin"),
      (#"{"quantization_config":{"quant_method":"eetq"}}"#, "EETQ"),
      (
        #"{"quantization_config":{"quant_method":"compressed-tensors","transform_config":{"config_groups":{"u":{}}}}}"#,
        "transform_config"
      ),
    ] {
      let checkpoint = try stored.open(Self.gptq, config: config)
      #expect(checkpoint.tensors.count == Self.gptq.count)
      let refusal = #expect(throws: UnreadableLayout.self) {
        try ConvertPlan(
          checkpoint, request: ConvertRequest(format: .safetensors, isSingleFile: false, dequantized: .bf16))
      }
      #expect(refusal?.description.contains(name) == true)
      #expect(throws: Never.self) { try PackPlan(checkpoint, recipe: Recipe(named: "lossless")) }
    }
  }

  /// Padding that holds something isn't in any plane: the stored bytes travel as they are.
  @Test func paddingThatIsNotZeroSurvives() throws {
    let directory = try TemporaryDirectory()
    // 3 bits, padded to 10 codes a word: the upper two bits of each word belong to no code.
    let words = [UInt8](repeating: 0xFF, count: 4 * 4 * 2)
    let tensors: [(String, DType, [Int], [UInt8])] = [
      ("a.weight_packed", .i32, [4, 2], words), ("a.weight_scale", .f16, [4, 1], [UInt8](repeating: 0x3C, count: 8)),
      ("a.weight_shape", .i64, [2], [4, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 0, 0, 0, 0]),
    ]
    let entries = try tensors.map {
      SafetensorsWriter.Tensor(SafetensorsTensorSpec($0.0, $0.1, try #require(Shape($0.2))), $0.3)
    }
    let model = directory.file("model")
    try Path.createDirectory(model)
    try SafetensorsWriter.write(entries, to: model + "/model.safetensors")
    let config = #"{"quantization_config":{"version":"0.9.0","config_groups":{"g":{"weights":{"num_bits":3}}}}}"#
    try FixtureCheckpoint.write(Array(config.utf8), to: model + "/config.json")
    let checkpoint = try Layouts.open(model)
    #expect(checkpoint.tensors.map(\.layout) == ["compressed-tensors pack-quantized 3-bit"])
    let resources = Resources(threads: 1, memory: 1 << 24)
    _ = try PackJob(checkpoint, plan: PackPlan(checkpoint, recipe: Recipe(named: "lossless")), options: PackOptions())
      .run(to: directory.file("a.bale"), resources: resources) { _ in }
    let restored = try UnpackJob(BaleCheckpoint(directory.file("a.bale")))
      .run(to: directory.file("restored"), overwrite: false, resources: resources) { _ in }
    #expect(restored.allSatisfy { $0.isOriginal })
  }
}
