import Tensors

/// What a plane of an encoded tensor holds. The raw value is its number in a `.bale` file (specs/bale.md).
public enum PlaneRole: UInt8, Sendable, Hashable, CaseIterable {
  /// Plain values, or the codes of a block codec.
  case codes = 0
  /// First-level scales, one a group.
  case scales = 1
  /// First-level zero points, one a group.
  case zeroPoints = 2
  /// Second-level statistics: the scales of the scales.
  case secondLevel = 3
  /// Tables and scalars that serve the whole tensor.
  case table = 4
  /// Row pointers of outliers in CSR.
  case outlierRows = 5
  /// Columns, or tile-local positions, of outliers.
  case outlierColumns = 6
  /// Values of outliers.
  case outlierValues = 7
  /// A permutation of columns or groups.
  case permutation = 8
  /// Exponents of floats split losslessly.
  case exponents = 9
  /// Signs and mantissas of floats split losslessly.
  case mantissas = 10
}

/// How a plane is cut.
public enum PlaneExtent: Sendable, Hashable {
  /// The bytes of a span follow those of the span before: byte counts are a function of the element count.
  case perSpan
  /// Like `perSpan`, but how many bytes a span takes is known only once it is encoded (outliers in CSR).
  case variable
  /// One piece that serves the whole tensor (a table, a scalar).
  case whole
}

/// One plane of an encoding.
public struct Plane: Sendable, Hashable {
  public var role: PlaneRole
  public var extent: PlaneExtent

  public init(_ role: PlaneRole, _ extent: PlaneExtent = .perSpan) {
    self.role = role
    self.extent = extent
  }
}

/// A run of elements of a tensor in its encoded form: what a codec decodes. `elements` counts from a span boundary
/// (a multiple of the codec's `alignment`), or runs to the end of the tensor.
public struct EncodedSpan {
  /// The bytes of each plane, in the order of the codec's `planes`: the span's own bytes of a `perSpan` or
  /// `variable` plane, all bytes of a `whole` one.
  public var planes: [UnsafeRawBufferPointer]
  public var elements: Int
  /// Length of a row of the tensor.
  public var columns: Int

  public init(planes: [UnsafeRawBufferPointer], elements: Int, columns: Int) {
    self.planes = planes
    self.elements = elements
    self.columns = columns
  }
}

/// A way to store the values of a tensor. A codec is a small value (its parameters); it sees a tensor as rows of
/// `columns` elements and works on spans of them, so that no tensor is ever whole in memory.
public protocol Codec: Sendable {
  /// Name and parameters. Equal descriptors decode equal bytes to equal values.
  var descriptor: CodecDescriptor { get }

  /// The planes, codes first, in the order in which they are stored.
  var planes: [Plane] { get }

  /// Spans start at multiples of this many elements, for rows of `columns` elements. A group that crosses rows
  /// gives a multiple of the group; a statistic that belongs to a row gives a multiple of `columns`.
  func alignment(columns: Int) -> Int

  /// Throws `CodecError` if a tensor of this shape can't be stored so (a row that isn't a multiple of the group
  /// where the encoding needs it, a product that overflows).
  func check(_ shape: Shape) throws(CodecError)

  /// Bytes of `plane` for `elements` elements counted from a span boundary; for a `whole` plane its total, for a
  /// `variable` one the most that it can take. The shape must have passed `check`.
  func bytes(plane: Int, elements: Int, columns: Int) -> Int

  /// Decodes a span to F32 by the fast kernel. `output` has room for `input.elements`.
  /// Throws `CodecError` where the bytes hold something that the encoding forbids.
  func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError)

  /// The same by the plain kernel that follows the spec line by line. Equal to `decode` bit for bit.
  func decodeReference(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError)

  /// Decodes a span to BF16 bit patterns: the values of `decode`, rounded to nearest, ties to even. A codec that
  /// doesn't say how goes through tiles of F32.
  func decodeBF16(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<UInt16>) throws(CodecError)
}

/// A codec that floats can be quantized into.
public protocol QuantizingCodec: Codec {
  /// The rule that the codec goes by where none is asked for: `search`, unless the codec says otherwise.
  var defaultRule: ScaleRule { get }

  /// Encodes a span of F32 values into planes with room for exactly `bytes(plane:elements:columns:)` each.
  /// Deterministic. `rule` says how scales are chosen; a rule the codec doesn't know is a `CodecError`.
  func encode(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule,
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError)
}

extension QuantizingCodec {
  public var defaultRule: ScaleRule { .search }
}

/// A codec with `variable` planes that floats can be quantized into: how many bytes those take is known afterwards.
public protocol VariableCodec: Codec {
  /// Encodes a span of F32 values and gives the bytes of each plane, in the order of `planes`. Deterministic, and
  /// the same whether a tensor is encoded in one span or in many.
  func encode(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule
  ) throws(CodecError) -> [[UInt8]]
}

/// How a quantizer chooses its scales. Not part of the encoding: every rule decodes the same way.
public enum ScaleRule: String, Sendable, CaseIterable {
  /// The default of each codec: the least squared error that its search finds.
  case search
  /// The largest magnitude maps to the largest code.
  case absmax
  /// (max - min) / (2^bits - 1), codes clipped to the range.
  case range
  /// MX: floor(log2 absmax) - emax, as OCP MX v1.0 section 6.3 says.
  case floor
  /// MX: like floor after rounding absmax to the element's mantissa.
  case even
  /// MX: ceil(log2(absmax / largest element)): nothing is clipped.
  case ceil
  /// ggml: the bytes that llama.cpp writes.
  case compatible
}

/// A codec that can't do what was asked, or bytes it must refuse.
public enum CodecError: Error, Equatable, CustomStringConvertible {
  /// The shape can't be stored in this encoding.
  case shape(codec: String, shape: [Int], reason: String)
  /// A plane has another size than the encoding gives it.
  case planeSize(codec: String, plane: PlaneRole, expected: Int, found: Int)
  /// The bytes hold a value that the encoding forbids, at a byte offset of the span's plane.
  case value(codec: String, plane: PlaneRole, offset: Int, reason: String)
  /// A value to be encoded that the encoding can't hold (NaN, infinity).
  case unencodable(codec: String, element: Int, value: Float)
  /// An importance of a column that is negative, infinite or not a number.
  case importance(codec: String, column: Int, value: Float)
  /// A descriptor that names no codec, or parameters it doesn't take.
  case descriptor(String, reason: String)
  /// The values are stored as differences from those of another model, which isn't at hand.
  case needsBase(codec: String)
  /// The codec can't choose scales by this rule.
  case rule(codec: String, rule: ScaleRule)

  public var description: String {
    switch self {
    case .shape(let codec, let shape, let reason): "\(codec) can't store the shape \(shape): \(reason)"
    case .planeSize(let codec, let plane, let expected, let found):
      "the \(plane) plane of \(codec) should have \(expected) bytes and has \(found)"
    case .value(let codec, let plane, let offset, let reason):
      "byte \(offset) of the \(plane) plane of \(codec): \(reason)"
    case .unencodable(let codec, let element, let value): "\(codec) can't store \(value), element \(element)"
    case .importance(let codec, let column, let value):
      "\(codec): the importance of column \(column) is \(value)"
    case .descriptor(let text, let reason): "encoding '\(text)': \(reason)"
    case .needsBase(let codec): "\(codec) stores differences from a base model: name it with --base"
    case .rule(let codec, let rule): "\(codec) has no scale rule '\(rule.rawValue)'"
    }
  }
}
