import Tensors

/// A tensor that is to be written.
public struct SafetensorsTensorSpec: Sendable, Hashable {
  public var name: String
  public var dtype: DType
  public var shape: Shape

  public init(_ name: String, _ dtype: DType, _ shape: Shape) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
  }
}

/// The order in which tensors are written.
public enum SafetensorsOrder: Sendable {
  /// That of the Rust library: the widest dtype first (`DType` descending), then by the bytes of the name.
  case canonical
  /// As they are handed over.
  case asGiven
}

/// Where everything of a safetensors file goes, known before a byte of it is written.
public struct SafetensorsPlan: Sendable, Equatable {
  /// The first bytes of the file: length, JSON, padding.
  public let headerBytes: [UInt8]
  /// Where each tensor's bytes go, counted from the start of the file, in the order in which the tensors were given.
  public let ranges: [Range<Int>]
  /// Indices of the given tensors in the order of the file.
  public let fileOrder: [Int]
  public let fileSize: Int
}
