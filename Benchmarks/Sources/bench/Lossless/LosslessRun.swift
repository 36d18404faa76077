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
    var bytes: [UInt8]
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
    // A chunk's row in the directory of a .bale is 16 bytes.
    let size = coded.reduce(0) { $0 + $1.reduce(0) { $0 + $1.bytes.count + 16 } }
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
    let planes = buffers.planes(source.count / codec.planes.count)
    try codec.split(source, into: planes)
    coded[span] = try planes.enumerated().map { index, plane in
      let plane = UnsafeRawBufferPointer(plane)
      guard codec.compressiblePlanes.contains(index) || ByteSkew.isLikely(plane) else {
        return Plane(bytes: Array(plane), isFrame: false)
      }
      let frame = try buffers.compressor.compress(plane, .huffmanOnly)
      return frame.count < plane.count
        ? Plane(bytes: frame, isFrame: true) : Plane(bytes: Array(plane), isFrame: false)
    }
  }

  private func decompress(_ span: Int, _ buffers: Buffers) throws {
    let target = UnsafeMutableRawBufferPointer(rebasing: back[spans[span]])
    let elements = target.count / codec.planes.count
    let planes = buffers.planes(elements)
    for (plane, coded) in zip(planes, coded[span]) {
      try coded.bytes.withUnsafeBytes { bytes in
        if coded.isFrame {
          try buffers.decompressor.decompress(bytes, into: plane)
        } else {
          plane.copyMemory(from: bytes)
        }
      }
    }
    try codec.join(
      EncodedSpan(planes: planes.map { UnsafeRawBufferPointer($0) }, elements: elements, columns: elements),
      into: target)
  }
}

/// What a thread works with.
private final class Buffers {
  let compressor: ZstdCompressor
  let decompressor: ZstdDecompressor
  private let all: [UnsafeMutableRawBufferPointer]

  init(planes: Int, elements: Int) throws {
    compressor = try ZstdCompressor()
    decompressor = try ZstdDecompressor()
    all = (0..<planes).map { _ in .allocate(byteCount: elements, alignment: 64) }
  }

  deinit { all.forEach { $0.deallocate() } }

  func planes(_ elements: Int) -> [UnsafeMutableRawBufferPointer] {
    all.map { UnsafeMutableRawBufferPointer(rebasing: $0[..<elements]) }
  }
}
