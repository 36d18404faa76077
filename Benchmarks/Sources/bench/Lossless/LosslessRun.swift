import ByteIO
import Codecs
import Compression
import Pipeline
import Tensors

/// Splits, compresses, decompresses and joins spans as `bale pack` does, every thread with buffers of its own.
final class LosslessRun: @unchecked Sendable {
  // Threads work on disjoint spans.
  private static let span = 1 << 20

  private let data: LosslessData
  private let codec: SplitCodec
  private let threads: Int
  private let spans: [Range<Int>]
  private let coded: UnsafeMutableBufferPointer<[Plane]>
  private let back: UnsafeMutableRawBufferPointer

  /// A plane of a span: a frame, or its bytes as they are.
  private struct Plane {
    var bytes: ByteBuffer
    var isFrame: Bool
  }

  init(_ data: LosslessData, threads: Int) throws {
    guard let codec = SplitCodec(data.dtype) else { throw CodecError.descriptor("split", reason: "no such dtype") }
    (self.data, self.codec, self.threads) = (data, codec, threads)
    let size = Self.span * data.dtype.bits / 8
    spans = stride(from: 0, to: data.bytes.count, by: size).map { $0..<min($0 + size, data.bytes.count) }
    coded = .allocate(capacity: spans.count)
    coded.initialize(repeating: [])
    back = .allocate(byteCount: data.bytes.count, alignment: 64)
  }

  deinit {
    coded.deinitialize()
    coded.deallocate()
    back.deallocate()
  }

  func measure(runs: Int) throws -> LosslessRates {
    let gigabytes = Double(data.bytes.count) / 1e9
    let compression = try best(of: runs) { try each(compress) }
    let decompression = try best(of: runs) { try each(decompress) }
    guard bytesAreEqual(UnsafeRawBufferPointer(back), UnsafeRawBufferPointer(data.bytes)) else {
      throw CodecError.descriptor("split", reason: "what came back isn't the source")
    }
    // A chunk's row in the directory of a .bale is 32 bytes.
    let size = coded.reduce(0) { $0 + $1.reduce(0) { $0 + $1.bytes.count + 32 } }
    return LosslessRates(
      ratio: Double(data.bytes.count) / Double(size), compress: gigabytes / compression,
      decompress: gigabytes / decompression)
  }

  private func each(_ body: @escaping @Sendable (Int, Buffers) throws -> Void) throws {
    let failure = Monitor((any Error)?.none)
    Workers.run(threads) { thread in
      do {
        let buffers = try Buffers(planes: self.codec.planes.count, elements: Self.span)
        for span in stride(from: thread, to: self.spans.count, by: self.threads) { try body(span, buffers) }
      } catch {
        failure.withLock { $0 = error }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
  }

  private func compress(_ span: Int, _ buffers: Buffers) throws {
    let source = UnsafeRawBufferPointer(rebasing: data.bytes[spans[span]])
    let planes = codec.planes.map { _ in ByteBuffer(count: source.count / codec.planes.count) }
    try ByteBuffer.withMutableBytes(of: planes) { try codec.split(source, into: $0) }
    coded[span] = try planes.enumerated().map { index, plane in
      let frame = try plane.withBytes { bytes -> ByteBuffer? in
        guard codec.compressiblePlanes.contains(index) || ByteSkew.isLikely(bytes) else { return nil }
        return try buffers.compressor.frame(bytes, .huffmanOnly)
      }
      guard let frame, frame.count < plane.count else { return Plane(bytes: plane, isFrame: false) }
      return Plane(bytes: frame, isFrame: true)
    }
  }

  private func decompress(_ span: Int, _ buffers: Buffers) throws {
    let target = UnsafeMutableRawBufferPointer(rebasing: back[spans[span]])
    let elements = target.count / codec.planes.count
    let coded = coded[span]
    let planes = try zip(buffers.planes(elements), coded).map { plane, coded in
      guard coded.isFrame else { return coded.bytes }
      try coded.bytes.withBytes { frame in
        try plane.withMutableBytes { try buffers.decompressor.decompress(frame, into: $0) }
      }
      return plane
    }
    try ByteBuffer.withMutableBytes(of: planes) { planes in
      let bytes = planes.map { UnsafeRawBufferPointer(rebasing: $0[..<elements]) }
      try codec.join(EncodedSpan(planes: bytes, elements: elements, columns: elements), into: target)
    }
  }
}

/// What a thread works with.
private final class Buffers {
  let compressor: ZstdCompressor
  let decompressor: ZstdDecompressor
  private let all: [ByteBuffer]

  init(planes: Int, elements: Int) throws {
    compressor = try ZstdCompressor()
    decompressor = try ZstdDecompressor()
    all = (0..<planes).map { _ in ByteBuffer(count: elements) }
  }

  /// Room for planes of so many bytes: the last span's are shorter.
  func planes(_ elements: Int) -> [ByteBuffer] {
    all[0].count == elements ? all : all.map { _ in ByteBuffer(count: elements) }
  }
}
