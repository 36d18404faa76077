import ByteIO
import Checkpoints
import Codecs

/// Bytes that can be read at any offset: a stored tensor, or a plane of a logical one.
public protocol ByteRanges: Sendable {
  var count: Int { get }

  /// Fills `buffer` from `offset`, which with the buffer's length lies within `count`.
  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws

  /// Fills `buffer` with runs of bytes, one after the other.
  func read(_ runs: ByteRuns, into buffer: UnsafeMutableRawBufferPointer) throws
}

/// Runs of as many bytes each, as far apart from one another: some columns of stored rows.
public struct ByteRuns: Sendable, Hashable {
  /// Where the first begins.
  var offset: Int
  /// Bytes of one.
  var bytes: Int
  /// From the start of one to the start of the next.
  var stride: Int
  var count: Int
}

extension ByteRanges {
  public func read(_ runs: ByteRuns, into buffer: UnsafeMutableRawBufferPointer) throws {
    for index in 0..<runs.count {
      try read(
        at: runs.offset + index * runs.stride,
        into: UnsafeMutableRawBufferPointer(rebasing: buffer[index * runs.bytes..<(index + 1) * runs.bytes]))
    }
  }

  /// A range of the bytes in a fresh buffer.
  func buffer(_ range: Range<Int>) throws -> ByteBuffer {
    let buffer = ByteBuffer(count: range.count)
    try buffer.withMutableBytes { try read(at: range.lowerBound, into: $0) }
    return buffer
  }
}

/// The bytes of a stored tensor.
public struct StoredBytes: ByteRanges {
  private let file: InputFile
  private let start: Int
  public let count: Int

  public init(_ file: InputFile, _ range: Range<Int>) {
    self.file = file
    start = range.lowerBound
    count = range.count
  }

  public func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
    try file.read(at: start + offset, into: buffer)
  }
}

/// The bytes of one plane of a checkpoint's tensor, read through the spans of its codec.
public struct PlaneBytes: ByteRanges {
  private let checkpoint: any Checkpoint
  private let tensor: Int
  private let plane: Int
  public let count: Int
  /// Elements at whose multiples spans may begin, and the plane's bytes of so many.
  private let unit: (elements: Int, bytes: Int)

  public init(_ checkpoint: any Checkpoint, tensor: Int, plane: Int) {
    let entry = checkpoint.tensors[tensor]
    let (codec, columns) = (entry.codec, entry.shape.columns)
    self.checkpoint = checkpoint
    self.tensor = tensor
    self.plane = plane
    count = codec.bytes(plane: plane, elements: entry.shape.elements, columns: columns)
    let alignment = codec.alignment(columns: columns)
    unit = (alignment, codec.bytes(plane: plane, elements: alignment, columns: columns))
  }

  private var shapeElements: Int { checkpoint.tensors[tensor].shape.elements }

  /// Elements of the tensor that are read at once.
  private static let chunk = 1 << 22

  public func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
    guard !buffer.isEmpty else { return }
    if checkpoint.tensors[tensor].codec.planes[plane].extent == .whole {
      return try read(elements: 0..<min(unit.elements, shapeElements), skipping: offset, into: buffer)
    }
    let step = max(Self.chunk / unit.elements, 1) * unit.bytes
    var done = 0
    while done < buffer.count {
      let first = (offset + done) / unit.bytes
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[done..<min(done + step, buffer.count)])
      let end = (offset + done + part.count).dividedRoundingUp(by: unit.bytes)
      let elements = first * unit.elements..<min(end * unit.elements, shapeElements)
      try read(elements: elements, skipping: offset + done - first * unit.bytes, into: part)
      done += part.count
    }
  }

  /// Reads all planes of a run of elements, and takes what is wanted of the one.
  private func read(elements: Range<Int>, skipping: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
    let entry = checkpoint.tensors[tensor]
    let buffers = entry.codec.planes.indices.map {
      ByteBuffer(count: entry.codec.bytes(plane: $0, elements: elements.count, columns: entry.shape.columns))
    }
    _ = try ByteBuffer.withMutableBytes(of: buffers) { try checkpoint.read(tensor, elements: elements, into: $0) }
    buffers[plane].withBytes {
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[skipping...].prefix(buffer.count)))
    }
  }
}
