import CKernels
import Tensors

/// Floats as byte planes: `split:dtype=BF16` (specs/codecs/lossless.md). Each element is rotated left by one bit, so
/// that the exponent comes first and the sign last, and its bytes go to a plane each, the most significant first.
/// The planes with exponent bits are skewed and compress; the others are noise in most weights.
public struct SplitCodec: LosslessCodec, Hashable {
  /// The dtypes that have an exponent to set apart. In an FP8 code the exponent shares the only byte with the rest,
  /// and coding whole bytes loses nothing: those, and integers, are `plain` and compressed as they are.
  public static let dtypes: [DType] = [.f16, .bf16, .f32, .f64]

  public let dtype: DType

  /// Nil for a dtype that isn't one of `dtypes`.
  public init?(_ dtype: DType) {
    guard Self.dtypes.contains(dtype) else { return nil }
    self.dtype = dtype
  }

  init(_ reader: inout DescriptorReader) throws(CodecError) {
    dtype = try reader.choice("dtype", default: .bf16, among: Self.dtypes)
  }

  public var descriptor: CodecDescriptor { CodecDescriptor("split", ["dtype": dtype.rawValue]) }

  private var size: Int { dtype.bits / 8 }

  /// F64 has eleven exponent bits, which reach into a second byte.
  private var exponentPlanes: Int { dtype == .f64 ? 2 : 1 }

  public var planes: [Plane] { (0..<size).map { Plane($0 < exponentPlanes ? .exponents : .mantissas) } }

  public var compressiblePlanes: [Int] { Array(0..<exponentPlanes) }

  public func alignment(columns: Int) -> Int { 1 }

  public func check(_ shape: Shape) throws(CodecError) {
    guard dtype.bytes(elements: shape.elements) != nil else {
      throw .shape(codec: "split", shape: shape.dimensions, reason: "its size overflows")
    }
  }

  public func bytes(plane: Int, elements: Int, columns: Int) -> Int { elements }

  public func split(
    _ source: UnsafeRawBufferPointer, into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    let count = try elements(of: source, planes.map(\.count))
    let targets = planes.map { $0.bindMemory(to: UInt8.self).baseAddress }
    if count > 0 { bale_split_planes(source.baseAddress, size, count, targets) }
  }

  public func join(_ input: EncodedSpan, into target: UnsafeMutableRawBufferPointer) throws(CodecError) {
    let count = try elements(of: UnsafeRawBufferPointer(target), input.planes.map(\.count))
    let sources = input.planes.map { $0.bindMemory(to: UInt8.self).baseAddress }
    if count > 0 { bale_join_planes(sources, size, count, target.baseAddress) }
  }

  public func splitReference(
    _ source: UnsafeRawBufferPointer, into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    _ = try elements(of: source, planes.map(\.count))
    switch size {
    case 2: SplitReference<UInt16>.split(source, planes)
    case 4: SplitReference<UInt32>.split(source, planes)
    default: SplitReference<UInt64>.split(source, planes)
    }
  }

  public func joinReference(_ input: EncodedSpan, into target: UnsafeMutableRawBufferPointer) throws(CodecError) {
    _ = try elements(of: UnsafeRawBufferPointer(target), input.planes.map(\.count))
    switch size {
    case 2: SplitReference<UInt16>.join(input.planes, target)
    case 4: SplitReference<UInt32>.join(input.planes, target)
    default: SplitReference<UInt64>.join(input.planes, target)
    }
  }

  /// The number of elements in `source`, if it and the planes agree on it.
  private func elements(of source: UnsafeRawBufferPointer, _ planes: [Int]) throws(CodecError) -> Int {
    let count = source.count / size
    for (plane, found) in zip(self.planes, planes) where found != count {
      throw .planeSize(codec: "split", plane: plane.role, expected: count, found: found)
    }
    guard planes.count == size else {
      throw .planeSize(codec: "split", plane: .mantissas, expected: count, found: 0)
    }
    guard source.count % size == 0 else {
      throw .planeSize(codec: "split", plane: .exponents, expected: count + 1, found: count)
    }
    return count
  }
}
