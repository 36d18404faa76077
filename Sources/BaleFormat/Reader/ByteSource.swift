import ByteIO

/// Bytes that can be read at any offset, from any thread.
public protocol ByteSource: Sendable {
  /// What errors call it.
  var path: String { get }
  var size: Int { get }
  /// Fills `buffer` from `offset`. Throws where the bytes can't be read.
  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws
  /// Throws if the bytes are no longer those that were opened.
  func checkUnchanged() throws
}

extension InputFile: ByteSource {}

/// Bytes in memory.
public struct MemorySource: ByteSource {
  public let path: String
  private let bytes: [UInt8]

  public init(_ bytes: [UInt8], path: String = "memory") {
    self.bytes = bytes
    self.path = path
  }

  public var size: Int { bytes.count }

  public func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
    guard offset >= 0, buffer.count <= bytes.count, offset <= bytes.count - buffer.count else {
      throw SourceChanged(path: path, detail: "bytes from \(offset) asked of \(bytes.count)")
    }
    bytes.withUnsafeBytes {
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset..<offset + buffer.count]))
    }
  }

  public func checkUnchanged() {}
}

extension ByteSource {
  /// The bytes of a range that lies in the source.
  func bytes(at offset: Int, count: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      try read(at: offset, into: UnsafeMutableRawBufferPointer(buffer))
      initialized = count
    }
  }
}
