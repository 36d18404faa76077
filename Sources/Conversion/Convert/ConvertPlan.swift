import ByteIO
import Checkpoints
import Codecs
import Tensors

/// What converting to safetensors or GGUF will do: every byte of every output file is placed before one is written. A
/// pure function of the source's headers and the request.
public struct ConvertPlan: Sendable {
  /// A file to be written.
  public struct File: Sendable {
    /// Relative to the destination directory; the destination itself where that is one file.
    public var name: String
    public var header: [UInt8]
    public var size: Int
  }

  /// A tensor to be written.
  public struct Output: Sendable {
    /// Index in the source's tensors.
    public var source: Int
    public var name: String
    public var shape: Shape
    public var sourceCodec: any Codec
    public var codec: any Codec
    public var rule: ScaleRule?
    /// What the columns weigh when the values are quantized.
    var importance: TensorImportance?
    /// True if an infinity or a NaN among the values is an error.
    var isChecked = false
    /// Index in `files`.
    public var file: Int
    /// Where in the file its bytes go.
    public var range: Range<Int>
  }

  public var format: ContainerFormat
  public var files: [File]
  public var outputs: [Output]
  /// Files of the source that hold no tensors and are copied as they are.
  public var sidecars: [CheckpointFile]
  /// Small text files made for the destination (an index), by name.
  public var made: [(name: String, bytes: [UInt8])]
  public var dropped: [(name: String, reason: String)]
  /// Tensors that are quantized without importance because the importance matrix has no entry for them.
  public var withoutImportance: [String]
}

/// What is asked of a conversion.
public struct ConvertRequest: Sendable {
  public var format: ContainerFormat
  /// True for one output file, false for a directory.
  public var isSingleFile: Bool
  /// Which tensors are converted, and to what.
  public var recipe: Recipe
  /// What tensors become that the target can't hold as they are; nil makes them an error.
  public var dequantized: DType?
  /// The most bytes of tensors in one file; nil: no limit.
  public var shardSize: Int?
  /// The most tensors in one file of GGUF; nil: no limit.
  public var shardTensors: Int?
  /// What the names of several files begin with: `PREFIX-00001-of-00003.gguf`.
  public var prefix = "model"
  /// How a GGUF model is quantized; goes before the recipe.
  public var quantization: GGUFQuantization?

  public init(
    format: ContainerFormat, isSingleFile: Bool, recipe: Recipe = Recipe(name: "keep", rules: []),
    dequantized: DType? = nil, shardSize: Int? = nil
  ) {
    self.format = format
    self.isSingleFile = isSingleFile
    self.recipe = recipe
    self.dequantized = dequantized
    self.shardSize = shardSize
  }
}
