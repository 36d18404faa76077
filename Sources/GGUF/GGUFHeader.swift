import ByteIO

/// The order of the bytes of a number.
public enum GGUFByteOrder: Sendable, Hashable {
  case little
  case big
}

/// Everything that a GGUF file says before its tensor data.
public struct GGUFHeader: Sendable {
  /// 2 or 3.
  public let version: UInt32
  /// Of the header and of the tensor data alike: the data of a big-endian file is big-endian.
  public let byteOrder: GGUFByteOrder
  public let metadata: GGUFMetadata
  /// Where a tensor's data may start, in bytes: `general.alignment`, or 32.
  public let alignment: Int
  /// The tensors in the order of the file, which is that of their data.
  public let tensors: [GGUFTensor]
  /// Bytes of the header without padding.
  public let length: Int
  /// Offset in the file of the tensor data: `length` rounded up to the alignment.
  public let dataStart: Int
  private let positions: [GGUFString: Int]

  /// The alignment of a file that names none.
  public static let defaultAlignment = 32

  init(
    version: UInt32, byteOrder: GGUFByteOrder, metadata: GGUFMetadata, alignment: Int, tensors: [GGUFTensor],
    positions: [GGUFString: Int], length: Int, dataStart: Int
  ) {
    self.version = version
    self.byteOrder = byteOrder
    self.metadata = metadata
    self.alignment = alignment
    self.tensors = tensors
    self.positions = positions
    self.length = length
    self.dataStart = dataStart
  }

  /// Reads the header of a file, and checks that the file holds all the data that it announces. No data is read.
  /// Throws `GGUFError`, `IOError` or `SourceChanged`.
  public init(parsing file: InputFile) throws {
    var cursor = HeaderCursor(path: file.path, size: file.size) { try file.read(at: $0, into: $1) }
    try self.init(&cursor)
  }

  /// Reads the header of a file that is in memory. `path` is what errors name it.
  public init(parsing bytes: [UInt8], path: String) throws {
    var cursor = HeaderCursor(path: path, size: bytes.count) { offset, target in
      bytes.withUnsafeBytes {
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset...].prefix(target.count)))
      }
    }
    try self.init(&cursor)
  }

  /// The tensor of that name; names are equal if their bytes are.
  public func tensor(named name: String) -> GGUFTensor? { positions[GGUFString(name)].map { tensors[$0] } }
}
