import Tensors

/// Floats stored as their difference from those of a base model: `delta:dtype=BF16,op=xor` (specs/codecs/delta.md). The
/// differences are cut in planes as by `SplitCodec`. Alone they are no values: `decode` throws `CodecError.needsBase`,
/// and the values come back through `join` with the base's.
public struct DeltaCodec: Codec, Hashable {
  public let split: SplitCodec
  public let operation: DifferenceOperation

  /// Nil for a dtype that isn't one of `SplitCodec.dtypes`.
  public init?(_ dtype: DType, _ operation: DifferenceOperation) {
    guard let split = SplitCodec(dtype) else { return nil }
    self.split = split
    self.operation = operation
  }

  init(_ reader: inout DescriptorReader) throws(CodecError) {
    split = try SplitCodec(&reader)
    operation = try reader.choice("op", default: .xor, among: DifferenceOperation.allCases)
  }

  public var dtype: DType { split.dtype }

  public var descriptor: CodecDescriptor {
    CodecDescriptor("delta", ["dtype": dtype.rawValue, "op": operation.rawValue])
  }

  public var planes: [Plane] { split.planes }
  public func alignment(columns: Int) -> Int { 1 }
  public func check(_ shape: Shape) throws(CodecError) { try split.check(shape) }
  public func bytes(plane: Int, elements: Int, columns: Int) -> Int { elements }

  public func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    throw .needsBase(codec: "\(descriptor)")
  }

  public func decodeReference(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    throw .needsBase(codec: "\(descriptor)")
  }

  /// The planes of a span of source bytes, which the differences take the place of. `base` has as many bytes.
  public func split(
    _ source: UnsafeMutableRawBufferPointer, from base: UnsafeRawBufferPointer,
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    try checkBase(base, source.count)
    switch dtype.bits {
    case 16: Difference<UInt16>.make(operation, of: source, from: base)
    case 32: Difference<UInt32>.make(operation, of: source, from: base)
    default: Difference<UInt64>.make(operation, of: source, from: base)
    }
    try split.split(UnsafeRawBufferPointer(source), into: planes)
  }

  /// The source bytes of a span. `base` has as many bytes.
  public func join(
    _ input: EncodedSpan, from base: UnsafeRawBufferPointer, into target: UnsafeMutableRawBufferPointer
  ) throws(CodecError) {
    try checkBase(base, target.count)
    try split.join(input, into: target)
    switch dtype.bits {
    case 16: Difference<UInt16>.undo(operation, of: target, from: base)
    case 32: Difference<UInt32>.undo(operation, of: target, from: base)
    default: Difference<UInt64>.undo(operation, of: target, from: base)
    }
  }

  private func checkBase(_ base: UnsafeRawBufferPointer, _ count: Int) throws(CodecError) {
    guard base.count == count else {
      throw .planeSize(codec: "delta", plane: .codes, expected: count, found: base.count)
    }
  }
}
