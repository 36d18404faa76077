import ByteIO
import Codecs
import Tensors

/// The containers that Bale reads, and but for ONNX writes.
public enum ContainerFormat: String, Sendable, CaseIterable {
  case safetensors, gguf, bale, onnx
}

/// A tensor of a checkpoint: its values and how they are stored, with nothing left of the container's own ways.
public struct CheckpointTensor: Sendable {
  public var name: String
  public var shape: Shape
  public var codec: any Codec
  public var role: TensorRole
  /// The plain dtype that the values had before they were packed, where the container says so.
  public var sourceDType: DType?
  /// Bytes in the container, after any compression.
  public var storedBytes: Int
  /// What quantizing it cost, where the container says so.
  public var error: StoredError?
  /// The layout of another library that it was seen through, as people call it; nil for one that is stored as it is.
  public var layout: String?

  public init(
    name: String, shape: Shape, codec: any Codec, sourceDType: DType? = nil, storedBytes: Int? = nil,
    error: StoredError? = nil
  ) {
    self.name = name
    self.shape = shape
    self.codec = codec
    self.sourceDType = sourceDType ?? (codec as? PlainCodec)?.dtype
    self.error = error
    self.storedBytes = storedBytes ?? codec.byteCount(of: shape)
    role = TensorRole(name: name, rank: shape.rank)
  }

}

extension Codec {
  /// Bytes that all planes of a tensor take, uncompressed. The shape must have passed `check`.
  public func byteCount(of shape: Shape) -> Int { byteCount(elements: shape.elements, columns: shape.columns) }

  /// Bytes that a run of elements takes in all planes.
  public func byteCount(elements: Int, columns: Int) -> Int {
    planes.indices.reduce(0) { $0 + bytes(plane: $1, elements: elements, columns: columns) }
  }
}

/// The error that a container has stored with a quantized tensor.
public struct StoredError: Sendable, Equatable {
  public var relativeMSE: Double
  public var maximumError: Double

  public init(relativeMSE: Double, maximumError: Double) {
    self.relativeMSE = relativeMSE
    self.maximumError = maximumError
  }
}

/// A file of a checkpoint: one that holds tensors, or one that travels along (config.json, tokenizer).
public struct CheckpointFile: Sendable, Hashable {
  /// Path relative to the checkpoint's directory.
  public var name: String
  public var size: Int
  public var holdsTensors: Bool

  public init(name: String, size: Int, holdsTensors: Bool) {
    self.name = name
    self.size = size
    self.holdsTensors = holdsTensors
  }
}

/// A source: lists its tensors and reads ranges of them, never a whole file.
public protocol Checkpoint: Sendable {
  /// The path it was opened by.
  var path: String { get }
  var format: ContainerFormat { get }
  /// In the order of the files that hold them.
  var tensors: [CheckpointTensor] { get }
  /// All files, in order of their names; of a `.bale`, the original files that travel in it.
  var files: [CheckpointFile] { get }

  /// The files on disk, with their sizes.
  var storage: [(path: String, size: Int)] { get }

  /// Directories beside the files that are not part of the checkpoint, and that nothing reads.
  var skipped: [String] { get }

  /// What the container says about the model, in its order: key and value as text.
  var facts: [(key: String, value: String)] { get }

  /// Reads the encoded bytes of a run of elements, one buffer a plane: `elements` starts at a multiple of the
  /// codec's alignment and ends at one or at the end of the tensor. Each buffer has exactly the bytes that the codec
  /// says; for a variable plane, at most.
  /// - Returns: the bytes read into each buffer.
  func read(_ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]) throws -> [Int]

  /// The runs, one after another, that have to be read each by itself to have these elements: spans that can't be cut
  /// because only their whole is known to be so many bytes, or parts that have tables of their own.
  func runs(covering elements: Range<Int>, of tensor: Int) -> [Range<Int>]

  /// What a file is made of, end to end.
  func segments(of file: CheckpointFile) throws -> [SourceSegment]

  /// Reads a range of a file that holds no tensor's bytes. The file's size bounds the memory.
  func read(_ range: Range<Int>, of file: CheckpointFile) throws -> [UInt8]

  /// Opens a file to be read from end to end. Throws `IOError`.
  func open(_ file: CheckpointFile) throws -> InputFile

  /// The SHA-256 of a file where the checkpoint knows it; nil where the file has to be read to find out.
  func sha256(of file: CheckpointFile) throws -> [UInt8]?

  /// Throws `SourceChanged` if a file was written or replaced since the checkpoint was opened.
  func checkUnchanged() throws
}

extension Checkpoint {
  /// Most encodings can be read from any multiple of their alignment to any other.
  public func runs(covering elements: Range<Int>, of tensor: Int) -> [Range<Int>] {
    alignedRuns(covering: elements, of: tensor)
  }

  /// The smallest run that the encoding can begin and end.
  func alignedRuns(covering elements: Range<Int>, of tensor: Int) -> [Range<Int>] {
    let entry = tensors[tensor]
    let alignment = entry.codec.alignment(columns: entry.shape.columns)
    let end = elements.upperBound.roundedUp(to: alignment) ?? entry.shape.elements
    return [elements.lowerBound / alignment * alignment..<min(end, entry.shape.elements)]
  }
}

/// Where in a file the bytes of a stored tensor lie.
public struct FileRange: Sendable, Hashable {
  /// Index in the checkpoint's list of tensor files.
  public var file: Int
  public var range: Range<Int>

  public init(file: Int, range: Range<Int>) {
    self.file = file
    self.range = range
  }
}

/// A checkpoint whose tensors lie in files as plain runs of bytes, one run a plane: what safetensors and GGUF are.
public protocol FileCheckpoint: Checkpoint {
  /// The directory that the names of files are relative to.
  var directory: String { get }
  /// The open files that hold tensors; `FileRange.file` counts in it.
  var tensorFiles: [(name: String, file: InputFile)] { get }
  /// The planes of each tensor.
  var locations: [[FileRange]] { get }
}

extension FileCheckpoint {
  public func read(
    _ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    let entry = tensors[tensor]
    let columns = entry.shape.columns
    for (plane, buffer) in planes.enumerated() {
      let location = locations[tensor][plane]
      let start =
        entry.codec.planes[plane].extent == .whole
        ? 0 : entry.codec.bytes(plane: plane, elements: elements.lowerBound, columns: columns)
      try tensorFiles[location.file].file.read(at: location.range.lowerBound + start, into: buffer)
    }
    return planes.map(\.count)
  }

  public func checkUnchanged() throws {
    for (_, file) in tensorFiles { try file.checkUnchanged() }
  }
}
