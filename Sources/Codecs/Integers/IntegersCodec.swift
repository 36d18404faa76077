import ByteIO
import Tensors

/// Integer codes of 1 to 8, 16 or 32 bits in the ways that other libraries group them and `int4` doesn't: a group named
/// for each column, groups down the columns, strided through the tensor or run on across rows, one scale for all, zero
/// points that are floats; and codes that are floats of 4 bits under such scales.
/// Read only: `integers:bits=4,groups=index8,scale=F16,zero=code` (specs/codecs/integers.md).
public struct IntegersCodec: Codec, Hashable {
  /// Which elements share a scale.
  public enum Grouping: Sendable, Hashable {
    /// So many consecutive elements of a row; the last group of a row may be short.
    case elements(Int)
    /// So many consecutive elements of a column; the last group of a column may be short.
    case rows(Int)
    /// A row.
    case row
    /// One of so many groups of a row, named for each column by a plane of indices.
    case indexed(Int)
    /// So many consecutive elements of the flattened tensor; the last group may be short.
    case flat(Int)
    /// Those whose position in the flattened tensor leaves the same remainder by a number.
    case strided(Int)
    /// All.
    case tensor
  }

  /// What stands for 0.
  public enum Zero: Sendable, Hashable {
    /// Code 0: codes are two's complement, w = q * s.
    case none
    /// A byte: w = (q - z) * s with unsigned q.
    case code
    /// A float: w = (q - z) * s with unsigned q.
    case point(ScalarFloat)
    /// A float that is added: w = q * s + b with unsigned q.
    case bias(ScalarFloat)
  }

  /// What a code stands for.
  public enum Code: String, Sendable {
    case integer
    /// A float of a sign, two bits of exponent and one of mantissa, of 4 bits and `zero` none.
    case e2m1 = "E2M1"
  }

  public let bits: Int
  public let code: Code
  public let grouping: Grouping
  public let scale: ScalarFloat
  public let zero: Zero
  /// What a scale stands for so many codes of, mostly 1: w = (q * s) * (1 / over), for `zero` none.
  public let over: Int
  /// True if a product is rounded to the type of the scales before a bias is added, and the sum again: what a library
  /// that computes in 16 bits makes of it.
  public let isStepped: Bool
  /// Type of the factors that every column has besides, if it has one: w * f, of `zero` none and groups within rows.
  public let factors: ScalarFloat?

  /// Throws `CodecError.descriptor` on a width or a group that doesn't exist.
  public init(
    bits: Int, grouping: Grouping, scale: ScalarFloat, zero: Zero, over: Int = 1, isStepped: Bool = false,
    factors: ScalarFloat? = nil, code: Code = .integer
  ) throws(CodecError) {
    self.bits = bits
    self.code = code
    self.grouping = grouping
    self.scale = scale
    self.zero = zero
    self.over = over
    self.isStepped = isStepped
    self.factors = factors
    guard over == 1 || (1...1 << 16).contains(over) && zero == .none else {
      throw .descriptor("\(descriptor)", reason: "a scale stands for 1 to 65536 codes, without zero points")
    }
    guard factors == nil || zero == .none && !isFlat else {
      throw .descriptor("\(descriptor)", reason: "columns have factors where groups lie in rows, without zero points")
    }
    try checkCodes()
    switch grouping {
    case .elements(let count), .rows(let count), .indexed(let count), .flat(let count), .strided(let count):
      guard (1...1 << 40).contains(count) else {
        throw .descriptor("\(descriptor)", reason: "groups should be at least 1 and not beyond counting")
      }
    case .row, .tensor: break
    }
  }

  private func checkCodes() throws(CodecError) {
    guard (1...8).contains(bits) || isWide else {
      throw .descriptor("\(descriptor)", reason: "codes have 1 to 8, 16 or 32 bits")
    }
    let hasPoint = if case .point = zero { true } else { false }
    guard !isWide || zero == .none || bits == 16 && hasPoint else {
      throw .descriptor("\(descriptor)", reason: "codes of 16 bits have float zero points or none, of 32 bits none")
    }
    guard code == .integer || bits == 4 && zero == .none else {
      throw .descriptor("\(descriptor)", reason: "floats of 4 bits have no zero points")
    }
  }

  /// True for codes that are longer than a byte.
  var isWide: Bool { bits == 16 || bits == 32 }

  public var planes: [Plane] {
    let extent: PlaneExtent = isWhole ? .whole : .perSpan
    var planes = [Plane(.codes), Plane(.scales, extent)]
    if zero != .none { planes.append(Plane(.zeroPoints, extent)) }
    if factors != nil { planes.append(Plane(.table, .whole)) }
    if case .indexed = grouping { planes.append(Plane(.permutation, .whole)) }
    return planes
  }

  /// True if scales serve the whole tensor.
  var isWhole: Bool {
    switch grouping {
    case .strided, .tensor: true
    default: false
    }
  }

  /// True if codes are one stream over all rows; otherwise each row starts on a byte.
  private var isFlat: Bool {
    switch grouping {
    case .flat, .strided: true
    default: false
    }
  }

  public func alignment(columns: Int) -> Int {
    switch grouping {
    case .flat(let count), .strided(let count): count % 8 == 0 ? count : (count.multiplied(by: 8) ?? count)
    // No tensor has more elements than the bound.
    case .rows(let count): min(count.multiplied(by: max(columns, 1)) ?? .max, 1 << 58)
    default: max(columns, 1)
    }
  }

  public func check(_ shape: Shape) throws(CodecError) { try checkCountable(shape) }

  public func bytes(plane: Int, elements: Int, columns: Int) -> Int {
    switch planes[plane].role {
    case .codes: codeBytes(elements: elements, columns: columns)
    case .scales: groups(elements: elements, columns: columns) * scale.bytes
    case .zeroPoints: groups(elements: elements, columns: columns) * zeroBytes
    case .table: columns * (factors?.bytes ?? 0)
    default: columns * 4
    }
  }

  private func codeBytes(elements: Int, columns: Int) -> Int {
    if isFlat || columns == 0 { return (elements * bits).dividedRoundingUp(by: 8) }
    return elements / columns * rowBytes(columns)
  }

  func rowBytes(_ columns: Int) -> Int { (columns * bits).dividedRoundingUp(by: 8) }

  /// Groups that a span, or where scales are whole the tensor, has.
  func groups(elements: Int, columns: Int) -> Int {
    let rows = columns == 0 ? 0 : elements / columns
    return switch grouping {
    case .elements(let count): rows * columns.dividedRoundingUp(by: count)
    case .rows(let count): rows.dividedRoundingUp(by: count) * columns
    case .row: rows
    case .indexed(let count): rows * count
    case .flat(let count): elements.dividedRoundingUp(by: count)
    case .strided(let count): count
    case .tensor: 1
    }
  }

  var zeroBytes: Int {
    switch zero {
    case .none: 0
    case .code: 1
    case .point(let type), .bias(let type): type.bytes
    }
  }
}
