import GGUF
import JSON

/// The model families that Bale knows by name.
public enum ArchitectureRegistry {
  /// One entry a family; another family is another file and a line here.
  static let families: [ArchitectureFamily] = [
    .llama, .mistral, .mixtral, .qwen2, .qwen3, .qwen2MoE, .qwen3MoE, .olmoe, .deepseekV2, .deepseekV3, .gptOSS,
    .glm4MoE, .gemma2, .gemma3, .phi3, .graniteMoE,
  ]

  /// The architecture of a Hugging Face model by its config.json, or nil if it isn't known.
  public static func find(config: JSONValue) -> Architecture? {
    let names = (config["architectures"]?.array ?? config["text_config"]?["architectures"]?.array ?? [])
      .compactMap(\.string)
    guard let name = names.first else { return nil }
    return families.first { $0.classes.contains(name) }.map(Architecture.init)
  }

  /// The architecture of a GGUF file by its metadata, or nil if it isn't known. What several families share in GGUF is
  /// told apart by what the file holds.
  public static func find(metadata: GGUFMetadata) -> Architecture? {
    guard let name = metadata.text("general.architecture") else { return nil }
    let candidates = families.filter { $0.name == name }
    return (candidates.first { $0.describes(metadata) } ?? candidates.first).map(Architecture.init)
  }
}

extension ArchitectureFamily {
  /// Whether a GGUF file of this family's name is of this family, by the keys that set it apart.
  fileprivate func describes(_ metadata: GGUFMetadata) -> Bool {
    switch modelType {
    case "mixtral": (metadata.integer("llama.expert_count") ?? 0) > 0
    case "llama", "mistral": (metadata.integer("llama.expert_count") ?? 0) == 0
    case "deepseek_v3": metadata.integer("deepseek2.expert_group_count") != nil
    case "deepseek_v2": metadata.integer("deepseek2.expert_group_count") == nil
    default: true
    }
  }
}
