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

  /// True if a run can be decoded piece by piece: how many bytes each takes is known.
  var canBeCut: Bool { codec.planes.allSatisfy { $0.extent != .variable } }

  /// True if `range` can be read by itself.
  public func isRun(_ range: Range<Int>) -> Bool {
    checkpoint.runs(covering: range, of: tensor) == [range]
  }

  /// The values of any run, as F32. Where it can't be read by itself, a little more is. Throws `CodecError` or the
  /// errors of reading.
  public func values(_ range: Range<Int>) throws -> EncodedBytes {
    let runs = checkpoint.runs(covering: range, of: tensor)
    if runs == [range] { return try read(range).values(codec) }
    let result = EncodedBytes(PlainCodec(.f32), elements: range.count, columns: columns)
    for run in runs {
      let wanted = run.clamped(to: range)
      try read(run).values(codec).withFloats { values in
        let part = UnsafeBufferPointer(
          rebasing: values[wanted.lowerBound - run.lowerBound..<wanted.upperBound - run.lowerBound])
        let offset = (wanted.lowerBound - range.lowerBound) * MemoryLayout<Float>.stride
        result.withTargets {
          UnsafeMutableRawBufferPointer(rebasing: $0[0][offset...]).copyMemory(from: UnsafeRawBufferPointer(part))
        }
      }
    }
    return result
  }
}
