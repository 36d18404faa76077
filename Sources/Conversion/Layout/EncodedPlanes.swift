import ByteIO
import Checkpoints
import Codecs
import Layouts
import Pipeline

/// Tensors encoded whole, plane by plane, for layouts that store them in another order than that of rows. The last few
/// are kept, as each stored tensor is made from the same planes.
final class EncodedPlanes: Sendable {
  private let converters: [Int: TensorConverter]
  private let threads: Int
  private let kept = Monitor(Kept())

  /// Tensors kept.
  private static let limit = 3

  private struct Kept {
    var planes: [Int: [ByteBuffer]] = [:]
    var underWay: Set<Int> = []
    /// Oldest first.
    var order: [Int] = []
  }

  /// - Parameter converters: by tensor of the source.
  init(_ converters: [Int: TensorConverter], threads: Int) {
    self.converters = converters
    self.threads = threads
  }

  /// The planes of a tensor; whoever asks while they are being made waits. Throws the errors of reading and encoding.
  func planes(of tensor: Int) throws -> [ByteBuffer] {
    let known = kept.withLock { kept -> [ByteBuffer]? in
      if let planes = kept.planes[tensor] { return planes }
      guard !kept.underWay.contains(tensor) else { return [] }
      kept.underWay.insert(tensor)
      return nil
    }
    if let known, !known.isEmpty { return known }
    if known != nil {
      kept.wait { $0.underWay.contains(tensor) ? nil : () }
      return try planes(of: tensor)
    }
    defer { kept.withLock { _ = $0.underWay.remove(tensor) } }
    let planes = try encode(tensor)
    kept.withLock { kept in
      kept.planes[tensor] = planes
      kept.order.append(tensor)
      if kept.order.count > Self.limit { kept.planes[kept.order.removeFirst()] = nil }
    }
    return planes
  }

  private func encode(_ tensor: Int) throws -> [ByteBuffer] {
    guard var converter = converters[tensor] else { return [] }
    try converter.gatherStatistics(Resources(threads: threads, memory: 64 << 20))
    let (codec, reader) = (converter.transcoder.target, converter.reader)
    let planes = codec.planes.indices.map {
      ByteBuffer(count: codec.bytes(plane: $0, elements: reader.elements, columns: reader.columns))
    }
    let span = SpanRule.elements([reader.codec, codec], columns: reader.columns)
    let units = SpanUnits([SpanUnits.Run(elements: reader.elements, span: span)])
    let ready = converter
    try OrderedPipeline.run(count: units.count, threads: threads, window: threads * 2) { index in
      units[index].elements.isEmpty ? nil : try ready.convert(units[index].elements).0
    } consume: { index, encoded in
      guard let encoded else { return }
      Self.place(encoded, at: units[index].elements.lowerBound, of: codec, columns: reader.columns, in: planes)
    }
    return planes
  }

  private static func place(
    _ encoded: EncodedBytes, at element: Int, of codec: any Codec, columns: Int, in planes: [ByteBuffer]
  ) {
    encoded.withSpan { span in
      for (plane, bytes) in span.planes.enumerated() {
        let start =
          codec.planes[plane].extent == .whole ? 0 : codec.bytes(plane: plane, elements: element, columns: columns)
        planes[plane].withMutableBytes {
          UnsafeMutableRawBufferPointer(rebasing: $0[start...]).copyMemory(from: bytes)
        }
      }
    }
  }
}

/// One plane of a tensor that is encoded when it is first read.
struct EncodedPlane: ByteRanges {
  let planes: EncodedPlanes
  let tensor: Int
  let plane: Int
  let count: Int

  func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
    try planes.planes(of: tensor)[plane].withBytes {
      buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[offset...].prefix(buffer.count)))
    }
  }
}
