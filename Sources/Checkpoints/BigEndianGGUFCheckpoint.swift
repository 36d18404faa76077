import ByteIO
import Codecs
import GGUF
import Tensors

/// A GGUF model whose bytes are big-endian, read as if they were not: elements are swapped as they are read. Its files
/// are not carried along when it is packed, as their bytes are not those of any tensor.
public struct BigEndianGGUFCheckpoint: Checkpoint {
  private let stored: GGUFCheckpoint

  public var path: String { stored.path }
  public var format: ContainerFormat { .gguf }
  public var tensors: [CheckpointTensor] { stored.tensors }
  public var files: [CheckpointFile] { [] }
  public var storage: [(path: String, size: Int)] { stored.storage }
  public var skipped: [String] { [] }
  public var facts: [(key: String, value: String)] { stored.facts }
  public var metadata: GGUFMetadata { stored.metadata }

  /// Throws `BigEndianBlocks` if a tensor is of a block type, whose numbers lie among codes.
  init(_ stored: GGUFCheckpoint) throws {
    self.stored = stored
    for tensor in stored.tensors where !(tensor.codec is PlainCodec) {
      throw BigEndianBlocks(path: stored.path, tensor: tensor.name, encoding: tensor.codec.shortName)
    }
  }

  public func read(
    _ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    let counts = try stored.read(tensor, elements: elements, into: planes)
    if let dtype = (tensors[tensor].codec as? PlainCodec)?.dtype {
      // A complex number is two numbers, each swapped by itself.
      Self.swap(planes[0], size: dtype == .c64 ? 4 : dtype.bits / 8)
    }
    return counts
  }

  private static func swap(_ bytes: UnsafeMutableRawBufferPointer, size: Int) {
    guard size > 1 else { return }
    for start in stride(from: 0, to: bytes.count - size + 1, by: size) {
      for index in 0..<size / 2 { bytes.swapAt(start + index, start + size - 1 - index) }
    }
  }

  public func segments(of file: CheckpointFile) throws -> [SourceSegment] { [] }
  public func read(_ range: Range<Int>, of file: CheckpointFile) throws -> [UInt8] {
    try stored.read(range, of: file)
  }
  public func open(_ file: CheckpointFile) throws -> InputFile { try stored.open(file) }
  public func sha256(of file: CheckpointFile) throws -> [UInt8]? { nil }
  public func checkUnchanged() throws { try stored.checkUnchanged() }
}

/// A big-endian GGUF file with quantized tensors.
public struct BigEndianBlocks: BadFileError, Equatable {
  public var path: String
  public var tensor: String
  public var encoding: String

  public var description: String {
    "\(path), tensor '\(tensor)': big-endian \(encoding) can't be read; only plain types are swapped"
  }
}
