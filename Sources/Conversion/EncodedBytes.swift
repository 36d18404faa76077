import ByteIO
import Codecs
import Tensors

/// The encoded form of a run of elements, in buffers of its own, whose bytes it lends.
public struct EncodedBytes: Sendable {
  private let planes: [ByteBuffer]
  /// The bytes used of each plane.
  private let counts: [Int]
  public let elements: Int
  public let columns: Int

  /// Room for what `codec` makes of a run.
  public init(_ codec: any Codec, elements: Int, columns: Int) {
    counts = codec.planes.indices.map { codec.bytes(plane: $0, elements: elements, columns: columns) }
    planes = counts.map { ByteBuffer(count: $0) }
    self.elements = elements
    self.columns = columns
  }

  /// A copy of planes that were made elsewhere.
  public init(_ bytes: [[UInt8]], elements: Int, columns: Int) {
    counts = bytes.map(\.count)
    planes = bytes.map { bytes in
      let buffer = ByteBuffer(count: bytes.count)
      buffer.withMutableBytes { $0.copyBytes(from: bytes) }
      return buffer
    }
    self.elements = elements
    self.columns = columns
  }

  public init(planes: [ByteBuffer], counts: [Int], elements: Int, columns: Int) {
    self.planes = planes
    self.counts = counts
    self.elements = elements
    self.columns = columns
  }

  /// Lends the bytes for a codec to read.
  public func withSpan<R>(_ body: (EncodedSpan) throws -> R) rethrows -> R {
    try ByteBuffer.withMutableBytes(of: planes) { planes in
      let used = zip(planes, counts).map { UnsafeRawBufferPointer(rebasing: $0[..<$1]) }
      return try body(EncodedSpan(planes: used, elements: elements, columns: columns))
    }
  }

  /// Lends the planes for a codec to write.
  public func withTargets<R>(_ body: ([UnsafeMutableRawBufferPointer]) throws -> R) rethrows -> R {
    try ByteBuffer.withMutableBytes(of: planes, body)
  }

  /// Lends the values of a run in `plain:dtype=F32`.
  public func withFloats<R>(_ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R {
    try withSpan { try body($0.planes[0].bindMemory(to: Float.self)) }
  }

  /// The bytes of a plane.
  public func bytes(_ plane: Int) -> [UInt8] { withSpan { Array($0.planes[plane]) } }

  /// The buffer of a plane, or a copy of what is used of it.
  public func buffer(_ plane: Int) -> ByteBuffer {
    if counts[plane] == planes[plane].count { return planes[plane] }
    return withSpan { ByteBuffer(copying: $0.planes[plane]) }
  }

  /// The buffer of the only plane.
  public var onlyPlane: ByteBuffer { planes[0] }

  /// True if every plane has the same bytes.
  public func isEqual(to other: EncodedBytes) -> Bool {
    guard counts == other.counts else { return false }
    return withSpan { a in other.withSpan { b in zip(a.planes, b.planes).allSatisfy { bytesAreEqual($0, $1) } } }
  }

  /// The values, as F32. Throws `CodecError`.
  public func values(_ codec: any Codec) throws -> EncodedBytes {
    let values = EncodedBytes(PlainCodec(.f32), elements: elements, columns: columns)
    try withSpan { input in
      try values.withTargets { try codec.decode(input, into: $0[0].bindMemory(to: Float.self)) }
    }
    return values
  }
}
