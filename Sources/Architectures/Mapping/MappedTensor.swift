import Codecs
import Tensors

/// Rows of one input tensor. The tensor is seen as rows of `rowElements` elements; `rows` says which of them are taken.
public struct MappedInput: Sendable, Hashable {
  /// Index of the tensor in the list that the map was made from.
  public var tensor: Int
  /// Elements of a row: the tensor's columns, or 1 where single elements are picked.
  public var rowElements: Int
  public var rows: RowSelection
  /// If set, the elements selected are seen as matrices of that many rows, `transposedColumns` columns each, and each
  /// matrix is transposed.
  public var transposed: MatrixShape?

  public init(tensor: Int, rowElements: Int, rows: RowSelection = .all, transposed: MatrixShape? = nil) {
    self.tensor = tensor
    self.rowElements = rowElements
    self.rows = rows
    self.transposed = transposed
  }
}

/// Rows and columns of a matrix before it is transposed.
public struct MatrixShape: Sendable, Hashable {
  public var rows: Int
  public var columns: Int

  public init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
  }
}

/// What an output tensor's bytes are made of.
public enum MappedContent: Sendable, Hashable {
  /// The inputs' elements, one input after the other, converted to the output's type.
  case concatenated
  /// Runs of elements, taken from each input in turn: `runs[i]` elements from input i.
  case interleaved(runs: [Int])
  /// Two inputs, code bytes and scale bytes as gpt-oss stores them, woven into ggml's blocks (`MXFP4Repack`). Input
  /// rows belong together one to one.
  case mxfp4Blocks
  /// The code bytes of ggml MXFP4 inputs, their rows taken in turn.
  case mxfp4Codes
  /// The scale bytes of ggml MXFP4 inputs, their rows taken in turn.
  case mxfp4Scales
  /// Numbers that follow from the configuration: no input.
  case constant([Float])
}

/// A tensor of the output and how it follows from the inputs.
public struct MappedTensor<Element: Sendable & Hashable>: Sendable, Hashable {
  public var name: String
  /// Outermost dimension first.
  public var shape: Shape
  public var type: Element
  public var content: MappedContent
  public var inputs: [MappedInput]
  /// Added to every element, in F32, before the conversion to the output's type: 1 for Gemma's norms, -1 on the way
  /// back.
  public var addend: Float

  public init(
    name: String, shape: Shape, type: Element, content: MappedContent = .concatenated, inputs: [MappedInput],
    addend: Float = 0
  ) {
    self.name = name
    self.shape = shape
    self.type = type
    self.content = content
    self.inputs = inputs
    self.addend = addend
  }
}

/// A tensor of a GGUF file made from Hugging Face tensors.
public typealias GGUFMappedTensor = MappedTensor<GGMLType>
/// A Hugging Face tensor made from tensors of a GGUF file.
public typealias HuggingFaceMappedTensor = MappedTensor<DType>

/// How every source tensor goes into the output.
public struct ArchitectureMap: Sendable {
  /// A source tensor that has no place in the output, and why.
  public struct Dropped: Sendable, Hashable {
    public var tensor: Int
    public var reason: String
  }

  /// In the order in which the file holds them.
  public var tensors: [GGUFMappedTensor]
  public var dropped: [Dropped]
}
