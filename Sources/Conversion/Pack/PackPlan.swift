import BaleFormat
import ByteIO
import Checkpoints
import Codecs
import Tensors

/// What packing will do: every tensor of the `.bale` file to be, where its values come from, and in which record they
/// go. A pure function of the source's headers and the recipe: no weight is read to make it.
public struct PackPlan: Sendable {
  /// A tensor to be packed.
  public struct Tensor: Sendable {
    /// Index in the source's tensors.
    public var source: Int
    public var name: String
    public var shape: Shape
    public var role: TensorRole
    public var sourceCodec: any Codec
    /// The plain dtype that the values had before they were first packed, where the source says so.
    public var sourceDType: DType?
    /// What quantizing it cost before this packing.
    public var sourceError: StoredError?
    public var codec: any Codec
    public var rule: ScaleRule?
    /// True if its chunks are compressed where that pays.
    public var compressed: Bool
    /// What makes its parts as wholes; nil where each span is encoded by itself.
    public var producer: (any PartProducer)?
    /// True for what several tensors of the source share: it is none of them, and kept resident.
    public var isShared = false

    /// True if the source's bytes come back from what is stored.
    public var isExact: Bool { Transcoder.isExact(from: sourceCodec, to: codec) }
  }

  /// A run of a tensor's elements that lies in one record: all of it, or one expert's slice of a stack.
  public struct Part: Sendable, Hashable {
    /// Index in `tensors`.
    public var tensor: Int
    /// Range of the first dimension; 0..<1 for a scalar.
    public var slices: Range<Int>
    public var elements: Range<Int>
    public var layout: PartLayout
  }

  /// One record of the file.
  public struct Record: Sendable {
    public var kind: RecordKind
    public var parts: [Part]
  }

  public var tensors: [Tensor]
  public var records: [Record]
  /// Tensors left out, each with the reason.
  public var dropped: [(name: String, reason: String)]

  /// Bytes of the source's tensors that will be read.
  public var sourceBytes: Int {
    tensors.reduce(0) { $0 + $1.sourceCodec.byteCount(of: $1.shape) }
  }

  /// The same of some records alone.
  func sourceBytes(ofRecords range: Range<Int>) -> Int {
    records[range].lazy.flatMap(\.parts).reduce(0) { sum, part in
      let tensor = tensors[part.tensor]
      return sum + tensor.sourceCodec.byteCount(elements: part.elements.count, columns: tensor.shape.columns)
    }
  }

  /// The parts in the order of the file, each with its place.
  var parts: [(record: Int, part: Int)] {
    records.indices.flatMap { record in records[record].parts.indices.map { (record, $0) } }
  }

  /// Bytes that the largest unit of work keeps in memory: what is read, what is made of it, and a copy to be written; or
  /// what a producer says.
  var largestUnit: Int {
    records.lazy.flatMap(\.parts).map { part in
      let tensor = tensors[part.tensor]
      if let producer = tensor.producer { return producer.memory(for: part, of: tensor) }
      let elements = min(part.layout.spanElements, part.layout.elements)
      let columns = tensor.shape.columns
      return tensor.sourceCodec.byteCount(elements: elements, columns: columns)
        + 2 * tensor.codec.byteCount(elements: elements, columns: columns)
    }.max() ?? 0
  }
}
