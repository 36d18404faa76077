import Checkpoints
import Codecs
import Tensors

/// A tensor as a layout sees it: stored tensors that together are the planes of one encoding.
public struct LogicalTensor: Sendable {
  public var name: String
  public var shape: Shape
  public var codec: any Codec
  /// What people call the layout: `GPTQ`, `bitsandbytes NF4`.
  public var layout: String
  /// Where the bytes of each plane come from, in the order of the codec's planes.
  public var planes: [PlaneSource]
  /// Stored tensors that only say how the others are to be read; their bytes travel as they are.
  public var companions: [StoredTensor]
  /// Why it can't be read as values, if it can't: its stored tensors then stay as they are.
  public var refusal: LayoutError?

  public init(
    name: String, shape: Shape, codec: any Codec, layout: String, planes: [PlaneSource],
    companions: [StoredTensor] = []
  ) {
    self.name = name
    self.shape = shape
    self.codec = codec
    self.layout = layout
    self.planes = planes
    self.companions = companions
  }

  /// A tensor that is recognised and can't be read as values.
  init(refused error: LayoutError, name: String, members: [StoredTensor]) {
    self.init(
      name: name, shape: .scalar, codec: PlainCodec(.u8), layout: "", planes: [], companions: members)
    refusal = error
  }

  /// All stored tensors that it is made of.
  var members: [StoredTensor] {
    planes.compactMap {
      switch $0 {
      case .stored(let tensor, _), .quantized(let tensor, _): tensor
      case .bytes: nil
      }
    } + companions
  }
}

/// Where the bytes of a plane come from.
public enum PlaneSource: Sendable {
  /// From a stored tensor, in an arrangement that leads both ways.
  case stored(StoredTensor, Arrangement.Form)
  /// Codes that float weights become on a grid: the weights are stored, the codes are made when they are read.
  case quantized(StoredTensor, QuantizationGrid)
  /// Made when the layout was recognised: the few bytes of a table or of one scale. The stored tensor that they were
  /// made of is a companion.
  case bytes([UInt8])
}

/// A tensor as a file holds it.
public struct StoredTensor: Sendable, Hashable {
  public var name: String
  public var dtype: DType
  public var shape: [Int]
  /// Index among the tensors of the file checkpoint.
  public var index: Int
}
