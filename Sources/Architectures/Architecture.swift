/// A model family: how its Hugging Face tensors, configuration and tokenizer are written in GGUF, and how they come
/// back. Everything here is a description; the caller moves the bytes.
public struct Architecture: Sendable {
  let family: ArchitectureFamily

  /// The value of `general.architecture`.
  public var name: String { family.name }
}
