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
    public var codec: any Codec
    public var rule: ScaleRule?
    /// True if its chunks are compressed where that pays.
    public var compressed: Bool
    /// Elements of the spans it is cut in.
    public var spanElements: Int

    /// True if the source's bytes come back from what is stored.
    public var isExact: Bool { Transcoder.isExact(from: sourceCodec, to: codec) }
  }

  /// A run of a tensor's elements that lies in one record: all of it, or one expert's slice of a stack.
  public struct Part: Sendable, Hashable {
    /// Index in `tensors`.
    public var tensor: Int
    /// Index along the first dimension, and how many; a tensor in one part has all.
    public var slices: Range<Int>
    public var elements: Range<Int>

    func spans(of tensor: Tensor) -> Int { elements.count.dividedRoundingUp(by: tensor.spanElements) }
  }

  /// One record of the file.
  public struct Record: Sendable {
    public var expert: ExpertAddress?
    public var parts: [Part]
  }

  public var tensors: [Tensor]
  public var records: [Record]
  /// Tensors left out, each with the reason.
  public var dropped: [(name: String, reason: String)]

  /// Bytes of the source's tensors that will be read.
  public var sourceBytes: Int {
    tensors.reduce(0) { total, tensor in
      total + Transcoder.byteCount(tensor.sourceCodec, shape: tensor.shape)
    }
  }
}

/// One expert of one layer.
public struct ExpertAddress: Sendable, Hashable, Comparable {
  public var layer: Int
  public var expert: Int

  public init(layer: Int, expert: Int) {
    self.layer = layer
    self.expert = expert
  }

  public static func < (a: ExpertAddress, b: ExpertAddress) -> Bool {
    (a.layer, a.expert) < (b.layer, b.expert)
  }
}
