/// Limits of the safetensors reader and writer.
public enum SafetensorsLimits {
  /// Longest header in bytes, padding included: the Rust library's `MAX_HEADER_SIZE`.
  public static let header = 100_000_000
  /// Longest shard index in bytes.
  public static let index = 64 << 20
}

/// What a reader may let pass.
public struct SafetensorsOptions: Sendable {
  /// True to take the last of several tensors of one name, as the Rust library does, instead of refusing the file.
  public var allowDuplicateNames: Bool

  public init(allowDuplicateNames: Bool = false) { self.allowDuplicateNames = allowDuplicateNames }
}
