import ByteIO
import Checkpoints
import Codecs
import Tensors

/// The values of a checkpoint's tensor, decoded and rounded to a dtype of whole bytes.
struct ValueBytes: ByteRanges {
  private let checkpoint: any Checkpoint
  private let tensor: Int
  private let dtype: DType
  let count: Int

  /// - Parameter dtype: F32, F16 or BF16.
  init(_ checkpoint: any Checkpoint, tensor: Int, dtype: DType) {
    self.checkpoint = checkpoint
    self.tensor = tensor
    self.dtype = dtype
    count = checkpoint.tensors[tensor].shape.elements * (dtype.bits / 8)
  }

  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
    let width = dtype.bits / 8
    let wanted = offset / width..<(offset + buffer.count).dividedRoundingUp(by: width)
    for run in checkpoint.runs(covering: wanted, of: tensor) {
      let bytes = try values(run)
      let place = run.lowerBound * width..<run.upperBound * width
      let part = place.clamped(to: offset..<offset + buffer.count)
      bytes.withBytes {
        UnsafeMutableRawBufferPointer(rebasing: buffer[part.lowerBound - offset..<part.upperBound - offset])
          .copyMemory(
            from: UnsafeRawBufferPointer(
              rebasing: $0[part.lowerBound - place.lowerBound..<part.upperBound - place.lowerBound]))
      }
    }
  }

  /// The values of a run that can be read by itself.
  private func values(_ run: Range<Int>) throws -> ByteBuffer {
    let entry = checkpoint.tensors[tensor]
    let (codec, columns) = (entry.codec, entry.shape.columns)
    let planes = codec.planes.indices.map { plane in
      let whole = codec.planes[plane].extent == .whole
      return ByteBuffer(
        count: codec.bytes(plane: plane, elements: whole ? entry.shape.elements : run.count, columns: columns))
    }
    let floats = ByteBuffer(count: run.count * MemoryLayout<Float>.size)
    let bytes = ByteBuffer(count: run.count * (dtype.bits / 8))
    try ByteBuffer.withMutableBytes(of: planes + [floats, bytes]) { buffers in
      let planes = Array(buffers.dropLast(2))
      let counts = try checkpoint.read(tensor, elements: run, into: planes)
      let span = EncodedSpan(
        planes: zip(planes, counts).map { UnsafeRawBufferPointer(rebasing: $0[..<$1]) }, elements: run.count,
        columns: columns)
      let values = buffers[planes.count].bindMemory(to: Float.self)
      try codec.decode(span, into: values)
      try Elements.encode(UnsafeBufferPointer(values), dtype, into: buffers[planes.count + 1])
    }
    return bytes
  }
}
