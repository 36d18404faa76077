import Codecs
import Tensors

/// A tensor of a `.bale` file, as the writer is told of it.
public struct TensorDeclaration: Sendable, Hashable {
  public var name: String
  /// The dtype that the values had in their source, nil where that was no plain dtype.
  public var dtype: DType?
  public var shape: Shape
  /// The canonical descriptor of the codec.
  public var encoding: String
  /// True if the source's values come back bit for bit.
  public var isLossless: Bool

  public init(name: String, dtype: DType?, shape: Shape, encoding: String, isLossless: Bool) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.encoding = encoding
    self.isLossless = isLossless
  }

  /// Length of the first dimension: 1 for a scalar.
  var firstDimension: Int { shape.dimensions.first ?? 1 }

  /// Elements of one index of the first dimension.
  var stride: Int { firstDimension == 0 ? 0 : shape.elements / firstDimension }
}

/// A declared tensor.
public struct TensorID: Sendable, Hashable {
  let index: Int
}

/// A file blob that was written.
public struct BlobID: Sendable, Hashable {
  /// Index of the shard, from 0.
  let shard: Int
  let plane: Int
}

/// A part of a tensor that a record is to hold.
public struct PartDeclaration: Sendable {
  public var tensor: TensorID
  /// The range of the tensor's first dimension; 0..<1 for a scalar.
  public var range: Range<Int>
  public var layout: PartLayout

  public init(tensor: TensorID, range: Range<Int>, layout: PartLayout) {
    self.tensor = tensor
    self.range = range
    self.layout = layout
  }
}

/// Where a run of bytes of an original file comes from when the file is restored.
public enum WrittenSegment: Sendable, Hashable {
  /// A range of a blob's bytes.
  case blob(BlobID, Range<Int>)
  /// A range of the bytes that the tensor had in its source: its codec's page says which they are.
  case tensor(TensorID, Range<Int>)
  /// Zeros.
  case zeros(Int)
  /// A range of bytes that a named layout rebuilds from the tensor.
  case layout(String, TensorID, Range<Int>)

  var count: Int {
    switch self {
    case .blob(_, let range), .tensor(_, let range), .layout(_, _, let range): range.count
    case .zeros(let count): count
    }
  }
}

/// An original file, as the writer is told of it.
struct FileDeclaration {
  var name: String
  var size: Int
  var sha256: [UInt8]
  var segments: [WrittenSegment]
}
