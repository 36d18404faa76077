import ByteIO
import Tensors

/// Integers of 2 to 8 bits with a scale for each group of a row, each row, or each column; symmetric, with integer
/// zero points, or with float biases; the scales plain floats or themselves quantized.
/// `int4:group=64,scale=F16,zero=none`, `int8:group=row,scale=F32,zero=code`,
/// `int4:group=16,scale=U8,zero=none,second=16` (specs/codecs/integer.md).
public struct IntegerCodec: TensorStatisticCodec, Hashable {
  /// What shares a scale.
  public enum Grouping: Sendable, Hashable {
    /// So many consecutive elements of a row; the last group of a row may be short.
    case elements(Int)
    case row
    case column
  }

  /// How scales are stored.
  public enum Scale: Sendable, Hashable {
    case float(ScalarFloat)
    /// An unsigned byte a group; `superblock` groups of a row share an F32 scale and an F32 offset.
    case quantized(superblock: Int)
  }

  /// What code zero means.
  public enum Zero: Sendable, Hashable {
    /// Nothing: codes are two's complement, w = q * s.
    case none
    /// An integer zero point in a byte: w = (q - z) * s with unsigned q.
    case code
    /// A bias: w = q * s + b with unsigned q.
    case bias(ScalarFloat)
  }

  public let bits: Int
  public let grouping: Grouping
  public let scale: Scale
  public let zero: Zero

  /// Code widths that exist.
  public static let widths = [2, 3, 4, 5, 6, 8]

  /// The longest group and the longest superblock.
  public static let longestGroup = 1 << 20

  /// Throws `CodecError.descriptor` on a width, group or superblock that doesn't exist.
  public init(
    bits: Int, grouping: Grouping = .elements(64), scale: Scale = .float(.f16), zero: Zero = .none
  ) throws(CodecError) {
    self.bits = bits
    self.grouping = grouping
    self.scale = scale
    self.zero = zero
    guard Self.widths.contains(bits) else { throw refusal("there are codes of \(Self.widths) bits") }
    if case .elements(let group) = grouping, !(1...Self.longestGroup).contains(group) {
      throw refusal("a group has 1 to \(Self.longestGroup) elements")
    }
    guard case .quantized(let superblock) = scale else { return }
    guard (1...Self.longestGroup).contains(superblock), case .elements = grouping else {
      throw refusal("a superblock has 1 to \(Self.longestGroup) groups of elements")
    }
  }

  private func refusal(_ reason: String) -> CodecError { .descriptor("\(descriptor)", reason: reason) }

  public var planes: [Plane] {
    let extent: PlaneExtent = grouping == .column ? .whole : .perSpan
    var planes = [Plane(.codes), Plane(.scales, extent)]
    if zero != .none { planes.append(Plane(.zeroPoints, extent)) }
    if case .quantized = scale { planes.append(Plane(.secondLevel)) }
    return planes
  }

  func layout(columns: Int) -> PackedRows {
    switch (grouping, scale) {
    case (.elements(let group), .float): PackedRows(group: group, bits: bits)
    case (.elements(let group), .quantized(let superblock)):
      PackedRows(group: group, bits: bits, superblock: superblock)
    case (.row, _), (.column, _): PackedRows(group: max(columns, 1), bits: bits)
    }
  }

  public func alignment(columns: Int) -> Int { layout(columns: columns).alignment(columns: columns) }

  public func check(_ shape: Shape) throws(CodecError) { try checkCountable(shape) }

  public func bytes(plane: Int, elements: Int, columns: Int) -> Int {
    let layout = layout(columns: columns)
    let rows = layout.rows(elements: elements, columns: columns)
    let scales = grouping == .column ? columns : rows.count * layout.groups(length: rows.length)
    switch planes[plane].role {
    case .codes: return rows.count * layout.codeBytes(length: rows.length)
    case .scales: return scales * scaleBytes
    case .zeroPoints: return scales * zeroBytes
    default: return rows.count * layout.superblocks(length: rows.length) * 8
    }
  }

  /// Bytes of one stored scale.
  var scaleBytes: Int { if case .float(let type) = scale { type.bytes } else { 1 } }

  /// Bytes of one stored zero point or bias.
  var zeroBytes: Int { if case .bias(let type) = zero { type.bytes } else { 1 } }

  /// The smallest and the largest code.
  var codeRange: ClosedRange<Int> {
    zero == .none ? -(1 << (bits - 1))...(1 << (bits - 1)) - 1 : 0...(1 << bits) - 1
  }
}
