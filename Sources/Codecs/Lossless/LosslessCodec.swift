import Tensors

/// A codec that stores the bytes of a plain dtype rearranged, so that they compress better, and gives them back.
public protocol LosslessCodec: Codec {
  /// The dtype of the source.
  var dtype: DType { get }

  /// Indices of the planes that always pay for entropy coding (`ZstdCompressor.Method.huffmanOnly`). Another plane
  /// pays only where `ByteSkew.isLikely` finds it skewed, as the low bytes of F32 values that were BF16 once.
  var compressiblePlanes: [Int] { get }

  /// Rearranges the bytes of a span of elements into planes of `bytes(plane:elements:columns:)` each.
  /// Throws `CodecError.planeSize` on any other size.
  func split(_ source: UnsafeRawBufferPointer, into planes: [UnsafeMutableRawBufferPointer]) throws(CodecError)

  /// The inverse: the source bytes of a span. Throws `CodecError.planeSize` on a size that doesn't fit.
  func join(_ input: EncodedSpan, into target: UnsafeMutableRawBufferPointer) throws(CodecError)

  /// The same by the plain kernels that follow the spec line by line.
  func splitReference(
    _ source: UnsafeRawBufferPointer, into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError)
  func joinReference(_ input: EncodedSpan, into target: UnsafeMutableRawBufferPointer) throws(CodecError)
}
