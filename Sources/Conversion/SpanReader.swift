import ByteIO
import Checkpoints
import Codecs

/// Reads runs of a tensor's elements, in its stored encoding, into fresh buffers.
struct SpanReader: Sendable {
  let checkpoint: any Checkpoint
  let tensor: Int
  let codec: any Codec
  let columns: Int
  let elements: Int

  init(_ checkpoint: any Checkpoint, tensor: Int) {
    self.checkpoint = checkpoint
    self.tensor = tensor
    let entry = checkpoint.tensors[tensor]
    codec = entry.codec
    columns = entry.shape.columns
    elements = entry.shape.elements
  }

  /// The encoded bytes of a run that begins and ends where the codec lets it.
  func read(_ range: Range<Int>) throws -> EncodedBytes {
    let buffers = codec.planes.indices.map { plane in
      let whole = codec.planes[plane].extent == .whole
      return ByteBuffer(
        count: codec.bytes(plane: plane, elements: whole ? elements : range.count, columns: columns))
    }
    let counts = try checkpoint.read(tensor, elements: range, into: buffers.map(\.bytes))
    return EncodedBytes(planes: buffers, counts: counts, elements: range.count, columns: columns)
  }

  /// The smallest run that holds `range` and that the codec can begin and end.
  func covering(_ range: Range<Int>) -> Range<Int> {
    let alignment = codec.alignment(columns: columns)
    let start = range.lowerBound / alignment * alignment
    let end = range.upperBound.roundedUp(to: alignment) ?? elements
    return start..<min(end, elements)
  }
}

/// The encoded form of a run of elements, in buffers of its own.
struct EncodedBytes: Sendable {
  var planes: [ByteBuffer]
  /// The bytes used of each.
  var counts: [Int]
  var elements: Int
  var columns: Int

  /// Room for what `codec` makes of a run.
  init(_ codec: any Codec, elements: Int, columns: Int) {
    counts = codec.planes.indices.map { codec.bytes(plane: $0, elements: elements, columns: columns) }
    planes = counts.map { ByteBuffer(count: $0) }
    self.elements = elements
    self.columns = columns
  }

  init(planes: [ByteBuffer], counts: [Int], elements: Int, columns: Int) {
    self.planes = planes
    self.counts = counts
    self.elements = elements
    self.columns = columns
  }

  var span: EncodedSpan {
    EncodedSpan(planes: zip(planes, counts).map { $0.prefix($1) }, elements: elements, columns: columns)
  }

  var targets: [UnsafeMutableRawBufferPointer] { planes.map(\.bytes) }

  /// The bytes of a plane.
  func bytes(_ plane: Int) -> [UInt8] { Array(planes[plane].prefix(counts[plane])) }
}
