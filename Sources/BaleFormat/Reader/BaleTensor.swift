import Codecs
import Tensors

/// A tensor of an open `.bale` file or set.
public struct BaleTensor: Sendable {
  public let name: String
  /// The dtype of the values in their source, nil where that was no plain dtype.
  public let dtype: DType?
  public let shape: Shape
  /// The canonical descriptor of the codec that decodes the planes.
  public let encoding: String
  /// True if the source's values come back bit for bit.
  public let isLossless: Bool
  /// The error of the encoding as measured by the writer, nil if it wasn't.
  public let error: Error?
  /// Ranges of the first dimension, in order; together they are the tensor.
  public let parts: [BalePart]

  public struct Error: Sendable, Hashable {
    /// Mean squared error over mean square of the source.
    public let relativeMSE: Double
    /// Largest absolute difference.
    public let maximum: Double
  }

  /// Bytes that the planes take in the file, without padding.
  public var storedBytes: Int { parts.reduce(0) { $0 + $1.planes.reduce(0) { $0 + $1.storedBytes } } }
}

/// A range of a tensor's first dimension, stored in one record.
public struct BalePart: Sendable {
  /// The range of the tensor's first dimension; 0..<1 for a scalar.
  public let range: Range<Int>
  /// Elements of the part, in rows of `columns`.
  public let elements: Int
  public let columns: Int
  /// Elements of each span but the last.
  public let spanElements: Int
  /// In the order of the codec's planes.
  public let planes: [BalePlane]
  /// The record that holds it.
  public let record: RecordID
  let tensorName: String

  public var spanCount: Int { elements == 0 ? 0 : (elements - 1) / spanElements + 1 }

  /// Elements of span `index`.
  public func elements(inSpan index: Int) -> Int { min(spanElements, elements - index * spanElements) }

  /// The spans that hold a range of the part's rows, counted from its first.
  public func spans(ofRows rows: Range<Int>) -> Range<Int> {
    guard !rows.isEmpty, columns > 0 else { return 0..<0 }
    return rows.lowerBound * columns / spanElements..<(rows.upperBound * columns - 1) / spanElements + 1
  }
}

/// A plane of a part.
public struct BalePlane: Sendable {
  public let role: PlaneRole
  public let extent: PlaneExtent
  /// True if its chunks may be zstd frames.
  public let isCompressed: Bool
  /// Bytes before compression.
  public let decodedLength: Int
  /// Bytes in the file, without padding.
  public let storedBytes: Int
  /// Rows of the chunk table.
  let chunks: Range<Int>

  public var chunkCount: Int { chunks.count }
}

/// A record of an open file or set.
public struct RecordID: Sendable, Hashable {
  /// Index of the shard, from 0.
  public let shard: Int
  /// Row in the record table of that shard.
  public let index: Int
}

/// What a record holds and where it is.
public struct BaleRecord: Sendable {
  public let id: RecordID
  public let kind: RecordKind
  /// Its bytes in its file. Two records with the same range share them.
  public let range: Range<Int>
  /// Its parts with the names of their tensors, in the order of their planes.
  public let parts: [(tensor: String, part: BalePart)]
}
