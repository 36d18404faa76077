/// What a reader accepts at most. Each is checked before anything is allocated; the bytes that are left in the file
/// bound every count and length as well.
enum GGUFLimits {
  /// Key-value pairs, and tensors.
  static let entries = 1 << 20
  /// Bytes of a key: the specification of GGUF says 2^16 - 1.
  static let keyBytes = 65535
  /// Bytes of a tensor's name: ggml keeps 64 with the terminating NUL.
  static let nameBytes = 63
  /// Dimensions of a tensor: GGML_MAX_DIMS.
  static let dimensions = 4
  /// Elements of an array, as in llama.cpp.
  static let arrayElements = 1 << 30
  /// Levels of arrays in arrays.
  static let arrayDepth = 16
  /// Arrays inside arrays of one value.
  static let nestedArrays = 1 << 20
  /// Bytes before the tensor data.
  static let headerBytes = 256 << 20
  /// Shards of a split model: `split.count` is 16 bits wide.
  static let shards = 65535
}

/// Keys of the container itself.
public enum GGUFKey {
  public static let alignment = "general.alignment"
  public static let splitNumber = "split.no"
  public static let splitCount = "split.count"
  public static let splitTensorCount = "split.tensors.count"

  static let split = [splitNumber, splitCount, splitTensorCount]
}
