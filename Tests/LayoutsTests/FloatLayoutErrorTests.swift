import ByteIO
import Checkpoints
import Codecs
import Layouts
import Safetensors
import Tensors
import TestSupport
import Testing

/// What is wrong with stored tensors is said when the checkpoint is opened, with the tensor's name.
@Suite struct FloatLayoutErrorTests {
  private let stored: StoredCheckpoint

  init() throws { stored = try StoredCheckpoint() }

  private func reason(_ tensors: [StoredCheckpoint.Stored], config: String? = nil) -> LayoutReason? {
    guard let error = stored.error(tensors, config: config) else { return nil }
    #expect(error.tensor != nil)
    return error.reason
  }

  @Test func missingCompanions() {
    #expect(reason([("a.weight_packed", .u8, [4, 16])]) == .missing("a.weight_scale"))
    #expect(
      reason([("a.weight_packed", .u8, [4, 16]), ("a.weight_scale", .f8e4m3, [4, 2])])
        == .missing("a.weight_global_scale"))
    #expect(
      reason([("a.weight", .u8, [4, 16]), ("a.weight_scale", .f8e4m3, [4, 2])]) == .missing("a.weight_scale_2"))
    #expect(
      reason([("m.experts.down_proj_blocks", .u8, [2, 8, 1, 16])]) == .missing("m.experts.down_proj_scales"))
    #expect(reason([("m.experts.down_proj_scales", .u8, [2, 8, 1])]) == .missing("m.experts.down_proj_blocks"))
    #expect(reason([("a.weight_scale_inv", .f32, [1, 1])]) == .missing("a.weight"))
    let config = #"{"quantization_config":{"quant_method":"fp8"}}"#
    #expect(reason([("a.weight", .f8e4m3, [4, 4])], config: config) == .missing("a.weight_scale_inv"))
  }

  @Test(arguments: [
    (DType.u8, [4, 16], DType.u8, [4, 3]), (.u8, [4, 16], .u8, [5, 1]), (.u8, [4, 16], .f8e4m3, [4, 1]),
  ])
  func scalesOfAnotherShape(packed: DType, shape: [Int], scale: DType, scales: [Int]) throws {
    let found = reason([
      ("a.weight_packed", packed, shape), ("a.weight_scale", scale, scales), ("a.weight_global_scale", .f32, [1]),
    ])
    guard case .shape("a.weight_scale", scales, _) = found else {
      Issue.record("\(String(describing: found))")
      return
    }
  }

  @Test func scalesThatFitNoBlocks() throws {
    let config = #"{"quantization_config":{"quant_method":"fp8","weight_block_size":[128,128]}}"#
    for shape in [[3, 2], [2, 2, 2], [5], [0, 2]] {
      let found = reason(
        [("a.weight", .f8e4m3, [200, 200]), ("a.weight_scale_inv", .f32, shape)], config: config)
      guard case .shape("a.weight_scale_inv", shape, _) = found else {
        Issue.record("\(shape): \(String(describing: found))")
        continue
      }
    }
  }

  @Test func configurationsThatDisagree() throws {
    let groups = #"{"quantization_config":{"config_groups":{"g":{"weights":{"num_bits":6}}}}}"#
    guard
      case .disagreement = reason(
        [("a.weight_packed", .u8, [4, 16]), ("a.weight_scale", .u8, [4, 1])], config: groups)
    else { return #expect(Bool(false)) }
    let blocks = #"{"quantization_config":{"quant_method":"fp8","weight_block_size":[64,64]}}"#
    guard
      case .disagreement = reason(
        [("a.weight", .f8e4m3, [256, 256]), ("a.weight_scale_inv", .f32, [2, 2])], config: blocks)
    else { return #expect(Bool(false)) }
    let mode = #"{"quantization":{"mode":"nvfp4","bits":4,"group_size":16}}"#
    guard case .disagreement = reason([("a.weight", .u32, [4, 4]), ("a.scales", .u8, [4, 1])], config: mode) else {
      return #expect(Bool(false))
    }
  }

  @Test func scalesOfAnotherType() {
    let found = reason([("a.weight", .f8e4m3, [4, 4]), ("a.weight_scale", .i32, [1])])
    #expect(
      found == .dtype(stored: "a.weight_scale", found: "I32", expected: "BF16 or F16 or F32 or F8_E8M0 or U8"))
  }

  /// Experts in one tensor have a factor each.
  @Test func factorsOfExperts() throws {
    let seen = try stored.open([
      ("a.weight", .u8, [3, 4, 16]), ("a.weight_scale", .f8e4m3, [3, 4, 2]), ("a.weight_scale_2", .f32, [3]),
      ("b.weight_packed", .u8, [3, 4, 16]), ("b.weight_scale", .f8e4m3, [3, 4, 2]),
      ("b.weight_global_scale", .f32, [3, 1, 1]),
    ])
    #expect(
      seen.tensors.map { "\($0.codec.descriptor)" } == [
        "nvfp4stack:rows=4,global=multiply,zero=unsigned", "nvfp4stack:rows=4,global=divide,zero=signed",
      ])
    guard
      case .shape = reason([
        ("a.weight", .u8, [3, 4, 16]), ("a.weight_scale", .f8e4m3, [3, 4, 2]), ("a.weight_scale_2", .f32, [4]),
      ])
    else { return #expect(Bool(false)) }
  }

  @Test func weightsThatAreScaledAtTheirInputAreRefused() throws {
    let seen = try stored.open([
      ("a.weight", .u8, [4, 16]), ("a.weight_scale", .f8e4m3, [4, 2]), ("a.weight_scale_2", .f32, []),
      ("a.pre_quant_scale", .bf16, [32]),
    ])
    let refusal = try #require((seen as? LayoutCheckpoint)?.refusal)
    #expect(refusal.tensor == "a.weight" && refusal.layout.contains("pre_quant_scale"))
    #expect(seen.tensors.count == 4 && seen.tensors.allSatisfy { $0.layout == nil })
  }

  @Test(arguments: [
    ([48, 80], [2, 3], "rows=32,columns=32", #"{"quantization_config":{"weight_block_size":[32,32]}}"#),
    ([200, 200], [2, 2], "rows=128,columns=128", "{}"), ([64, 64], [2, 4], "rows=32,columns=16", "{}"),
    ([64, 32], [64, 1], "rows=1,columns=all", "{}"), ([64, 32], [64], "rows=1,columns=all", "{}"),
    ([64, 32], [], "rows=all,columns=all", "{}"), ([3, 64, 32], [3], "rows=64,columns=all", "{}"),
    ([3, 64, 32], [3, 64, 1], "rows=1,columns=all", "{}"), ([3, 64, 32], [3, 1, 32], "rows=64,columns=1", "{}"),
    ([2, 256, 128], [2, 2, 1], "rows=128,columns=all", "{}"),
  ])
  func sidesFollowFromTheShapes(weight: [Int], scale: [Int], sides: String, config: String) throws {
    let seen = try stored.open([("a.weight", .f8e4m3, weight), ("a.weight_scale", .f32, scale)], config: config)
    #expect("\(seen.tensors[0].codec.descriptor)" == "fp8:element=E4M3,scale=F32,\(sides)")
    #expect(seen.tensors.count == 1)
  }
}
