import ByteIO
import Codecs
import GGUF
import Tensors

/// A GGUF model whose bytes are big-endian, read as if they were not: elements are swapped as they are read, and
/// swapped back where its files are restored.
public struct BigEndianGGUFCheckpoint: CheckpointView {
  /// The layout of `.bale` in which the files' numbers are stored.
  public static let layout = "big-endian"

  private let stored: GGUFCheckpoint
  public var source: any Checkpoint { stored }

  public var format: ContainerFormat { .gguf }
  public var tensors: [CheckpointTensor] { stored.tensors }
  public var skipped: [String] { [] }
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
      planes[0].swapNumbers(of: dtype)
    }
    return counts
  }

  public func segments(of file: CheckpointFile) throws -> [SourceSegment] {
    try stored.segments(of: file).map { segment in
      if case .tensor(let tensor, let range) = segment { .swapped(tensor, range) } else { segment }
    }
  }

  public func sha256(of file: CheckpointFile) throws -> [UInt8]? { nil }
}

extension UnsafeMutableRawBufferPointer {
  /// Turns the bytes of each number of a run of elements round. A complex number is two numbers.
  public func swapNumbers(of dtype: DType) {
    let size = dtype == .c64 ? 4 : dtype.bits / 8
    guard size > 1 else { return }
    for start in stride(from: 0, to: count - size + 1, by: size) {
      for index in 0..<size / 2 { swapAt(start + index, start + size - 1 - index) }
    }
  }
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
