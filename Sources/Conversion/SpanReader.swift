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
    let counts = try ByteBuffer.withMutableBytes(of: buffers) {
      try checkpoint.read(tensor, elements: range, into: $0)
    }
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
