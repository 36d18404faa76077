import Tensors

/// A tensor of the checkpoint that is converted: what its file's header says of it.
public struct SourceTensor: Sendable, Hashable {
  public var name: String
  /// Outermost dimension first, in both directions.
  public var shape: Shape
  public var dtype: DType

  public init(name: String, shape: Shape, dtype: DType) {
    self.name = name
    self.shape = shape
    self.dtype = dtype
  }
}
