import Tensors

/// NVFP4: blocks of 16 E2M1 elements along a row share an E4M3 scale, and the whole tensor a factor in F32.
/// `nvfp4:global=multiply,zero=signed` (specs/codecs/nvfp4.md).
public struct NVFP4Codec: TensorStatisticCodec, Hashable {
  /// How the factor of the tensor acts on the scales of the blocks.
  public enum Global: String, Sendable, CaseIterable {
    /// scale * factor, as NVIDIA's modelopt stores it.
    case multiply
    /// scale / factor, as compressed-tensors stores it.
    case divide
    /// scale * (factor / 2688), as MLX stores it: the factor is the largest magnitude of the tensor.
    case absmax
    /// There is no factor.
    case none
  }

  /// What code 8 stands for.
  public enum Zero: String, Sendable, CaseIterable {
    /// Negative zero.
    case signed
    /// Zero, as modelopt and ggml read it.
    case unsigned
  }

  public let global: Global
  public let zero: Zero

  /// Elements a block.
  public static let block = 16

  /// The largest magnitude under a factor of 1: the largest element times the largest scale.
  static let largest: Float = 6 * 448

  public init(global: Global = .multiply, zero: Zero = .signed) {
    self.global = global
    self.zero = zero
  }

  init(_ reader: inout DescriptorReader) throws(CodecError) {
    self.init(
      global: try reader.choice("global", default: .multiply), zero: try reader.choice("zero", default: .signed))
  }

  public var descriptor: CodecDescriptor {
    CodecDescriptor("nvfp4", ["global": global.rawValue, "zero": zero.rawValue])
  }

  public var planes: [Plane] {
    let blocks = [Plane(.codes), Plane(.scales)]
    return global == .none ? blocks : blocks + [Plane(.table, .whole)]
  }

  var layout: PackedRows { PackedRows(group: Self.block, bits: 4) }

  public func alignment(columns: Int) -> Int { layout.alignment(columns: columns) }

  public func check(_ shape: Shape) throws(CodecError) { try checkCountable(shape) }

  public func bytes(plane: Int, elements: Int, columns: Int) -> Int {
    let rows = layout.rows(elements: elements, columns: columns)
    switch plane {
    case 0: return rows.count * layout.codeBytes(length: rows.length)
    case 1: return rows.count * layout.groups(length: rows.length)
    default: return 4
    }
  }

  /// The value of every code.
  var values: [Float] {
    var values = Elements.table(.f4)
    if zero == .unsigned { values[8] = 0 }
    return values
  }

  /// The scale of every scale byte under a factor, each operation rounded to F32. The bytes of NaN give NaN.
  func scales(factor: Float) -> [Float] {
    let bytes = Elements.table(.f8e4m3)
    if global == .divide { return bytes.map { $0 / factor } }
    let multiplier = multiplier(factor: factor)
    return global == .none ? bytes : bytes.map { $0 * multiplier }
  }

  /// What scales are multiplied by under a factor: for `divide` its inverse, which gives scales that may differ by a
  /// unit in the last place.
  public func multiplier(factor: Float) -> Float {
    switch global {
    case .multiply: factor
    case .divide: 1 / factor
    case .absmax: factor / Self.largest
    case .none: 1
    }
  }
}
