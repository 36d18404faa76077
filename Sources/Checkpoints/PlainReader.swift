import ByteIO
import Codecs
import Tensors

/// Reads a float tensor as the plain bytes that it had, whether they are stored so or split in planes.
struct PlainReader: Sendable {
  let dtype: DType
  private let checkpoint: any Checkpoint
  private let tensor: Int
  private let codec: any Codec

  /// Nil for a tensor that is stored in another way.
  init?(_ checkpoint: any Checkpoint, tensor: Int) {
    codec = checkpoint.tensors[tensor].codec
    guard let dtype = (codec as? PlainCodec)?.dtype ?? (codec as? SplitCodec)?.dtype else { return nil }
    self.dtype = dtype
    self.checkpoint = checkpoint
    self.tensor = tensor
  }

  /// The bytes of a run of elements.
  func read(_ elements: Range<Int>) throws -> ByteBuffer {
    let target = ByteBuffer(count: elements.count * dtype.bits / 8)
    guard let split = codec as? SplitCodec else {
      _ = try target.withMutableBytes { try checkpoint.read(tensor, elements: elements, into: [$0]) }
      return target
    }
    let planes = split.planes.map { _ in ByteBuffer(count: elements.count) }
    try ByteBuffer.withMutableBytes(of: planes) { planes in
      _ = try checkpoint.read(tensor, elements: elements, into: planes)
      let span = EncodedSpan(
        planes: planes.map { UnsafeRawBufferPointer($0) }, elements: elements.count, columns: elements.count)
      try target.withMutableBytes { try split.join(span, into: $0) }
    }
    return target
  }
}
