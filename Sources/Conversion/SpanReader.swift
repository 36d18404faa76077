import ByteIO
import Checkpoints
import Codecs

/// Reads runs of a tensor's elements, in its stored encoding, into fresh buffers.
public struct SpanReader: Sendable {
  public let checkpoint: any Checkpoint
  public let tensor: Int
  public let codec: any Codec
  public let columns: Int
  public let elements: Int

  public init(_ checkpoint: any Checkpoint, tensor: Int) {
    self.checkpoint = checkpoint
    self.tensor = tensor
    let entry = checkpoint.tensors[tensor]
    codec = entry.codec
    columns = entry.shape.columns
    elements = entry.shape.elements
  }

  /// The encoded bytes of a run that begins and ends where the codec lets it.
  public func read(_ range: Range<Int>) throws -> EncodedBytes {
    let buffers = codec.planes.indices.map { plane in
      let whole = codec.planes[plane].extent == .whole
      return ByteBuffer(
        count: codec.bytes(plane: plane, elements: whole ? elements : range.count, columns: columns))
    }
    let counts = try checkpoint.read(tensor, elements: range, into: buffers.map(\.bytes))
    return EncodedBytes(planes: buffers, counts: counts, elements: range.count, columns: columns)
  }

  /// The smallest run that holds `range` and that the codec can begin and end.
  public func covering(_ range: Range<Int>) -> Range<Int> {
    let alignment = codec.alignment(columns: columns)
    let start = range.lowerBound / alignment * alignment
    let end = range.upperBound.roundedUp(to: alignment) ?? elements
    return start..<min(end, elements)
  }
}

/// The encoded form of a run of elements, in buffers of its own.
public struct EncodedBytes: Sendable {
  public var planes: [ByteBuffer]
  /// The bytes used of each.
  public var counts: [Int]
  public var elements: Int
  public var columns: Int

  /// Room for what `codec` makes of a run.
  public init(_ codec: any Codec, elements: Int, columns: Int) {
    counts = codec.planes.indices.map { codec.bytes(plane: $0, elements: elements, columns: columns) }
    planes = counts.map { ByteBuffer(count: $0) }
    self.elements = elements
    self.columns = columns
  }

  public init(planes: [ByteBuffer], counts: [Int], elements: Int, columns: Int) {
    self.planes = planes
    self.counts = counts
    self.elements = elements
    self.columns = columns
  }

  public var span: EncodedSpan {
    EncodedSpan(planes: zip(planes, counts).map { $0.prefix($1) }, elements: elements, columns: columns)
  }

  public var targets: [UnsafeMutableRawBufferPointer] { planes.map(\.bytes) }

  /// The bytes of a plane.
  public func bytes(_ plane: Int) -> [UInt8] { Array(planes[plane].prefix(counts[plane])) }

  /// True if every plane has the same bytes.
  public func isEqual(to other: EncodedBytes) -> Bool {
    counts == other.counts
      && zip(span.planes, other.span.planes).allSatisfy { $0.count == $1.count && bytesAreEqual($0, $1) }
  }

  /// The values, as F32. Throws `CodecError`.
  public func values(_ codec: any Codec) throws(CodecError) -> EncodedBytes {
    let values = EncodedBytes(PlainCodec(.f32), elements: elements, columns: columns)
    try codec.decode(span, into: values.targets[0].bindMemory(to: Float.self))
    return values
  }

  /// The values of a run in `plain:dtype=F32`.
  public var floats: UnsafeBufferPointer<Float> { span.planes[0].bindMemory(to: Float.self) }
}
