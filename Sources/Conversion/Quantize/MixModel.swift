import Checkpoints
import GGUF

/// What the rules of a mix have to know of a model, from its metadata.
struct MixModel: Sendable {
  let architecture: String
  let experts: Int
  let layers: Int
  /// Query heads that share a key and value head, in the first layer; 0 if there is no such head.
  let headsPerGroup: Int
  /// The size that llama.cpp calls 70B, in which many heads share small value matrices.
  let is70B: Bool
  let hasOutput: Bool
  /// Tensors of the category `attentionValue`.
  let attentionValues: Int

  init(_ checkpoint: any Checkpoint) {
    let metadata = GGUFSource.metadata(of: checkpoint) ?? GGUFMetadata()
    let name = metadata.text("general.architecture") ?? ""
    func number(_ key: String) -> Int? {
      metadata.integer("\(name).\(key)") ?? metadata.integers("\(name).\(key)")?.first
    }
    let heads = number("attention.head_count") ?? 0
    let groups = number("attention.head_count_kv") ?? heads
    architecture = name
    experts = number("expert_count") ?? 0
    layers = number("block_count") ?? Self.layers(of: checkpoint.tensors.map(\.name))
    headsPerGroup = groups > 0 ? heads / groups : 0
    is70B =
      switch name {
      case "llama": layers == 80 && heads != groups
      case "qwen2", "olmo", "deci": layers == 80
      case "jais2": layers == 68
      default: false
      }
    hasOutput = checkpoint.tensors.contains { $0.name == "output.weight" }
    attentionValues = checkpoint.tensors.count { TensorCategory($0.name) == .attentionValue }
  }

  /// The number of layers that the names of tensors speak of.
  private static func layers(of names: [String]) -> Int {
    (names.compactMap(MixOrder.layer).max() ?? -1).adding(1) ?? 0
  }
}

/// The order in which llama-quantize goes over tensors, and writes them: those of no layer first, then layer by layer;
/// within a layer by the bytes of their names.
enum MixOrder {
  static func precedes(_ left: String, _ right: String) -> Bool {
    let (a, b) = (layer(left) ?? -1, layer(right) ?? -1)
    return a == b ? left.utf8.lexicographicallyPrecedes(right.utf8) : a < b
  }

  /// The number after `blk.`.
  static func layer(_ name: String) -> Int? {
    guard name.hasPrefix("blk.") else { return nil }
    return Int(name.dropFirst(4).prefix { $0.isASCII && $0.isNumber })
  }
}
