import Tensors

/// SpQR: the dense tiles of `BilevelCodec`, and single weights kept apart at 16 bits (specs/codecs/spqr.md; Dettmers
/// et al. 2023). An outlier is present because it is listed, whatever its value.
public struct SpQRCodec: VariableCodec, Hashable {
  public let dense: BilevelCodec
  /// The type of an outlier's value: F16 or BF16.
  public let outliers: ScalarFloat
  public let combine: Combination
  public let index: IndexChoice
  /// Whether columns are stored in an order of their own.
  public let columnOrder: ColumnOrder

  /// How an outlier's value and the dense value at its place make the weight.
  public enum Combination: String, Sendable, CaseIterable {
    /// The outlier is the weight.
    case replace
    /// The weight is the sum: outliers were stored less the dense value.
    case addCompensated
    /// The weight is the sum, though outliers were stored whole: what the published kernel computes from the files
    /// that its own converter writes.
    case addRaw
  }

  /// Which indexes the rows of tiles may have. The bytes say which one each row of tiles has.
  public enum IndexChoice: String, Sendable, CaseIterable {
    /// Row pointers and columns only, so that a row's outliers can be found without decoding others.
    case csr
    /// The smaller of CSR and Golomb-Rice coded gaps.
    case smallest
  }

  /// The order in which columns are stored.
  public enum ColumnOrder: String, Sendable, CaseIterable {
    /// That of the tensor.
    case tensor
    /// One that a plane tells: a U16, or for more than 65536 columns a U32, for each stored column, the number of the
    /// tensor's column that it holds.
    case permuted
  }

  /// Throws `CodecError.descriptor` if outliers are of another type than F16 and BF16.
  public init(
    dense: BilevelCodec, outliers: ScalarFloat = .f16, combine: Combination = .replace, index: IndexChoice = .smallest,
    columnOrder: ColumnOrder = .tensor
  ) throws(CodecError) {
    guard Self.outlierTypes.contains(outliers) else { throw .descriptor("spqr", reason: "outliers are F16 or BF16") }
    self.dense = dense
    self.outliers = outliers
    self.combine = combine
    self.index = index
    self.columnOrder = columnOrder
  }

  private static let outlierTypes = [ScalarFloat.f16, .bf16]

  init(_ reader: inout DescriptorReader) throws(CodecError) {
    dense = try BilevelCodec(&reader)
    outliers = try reader.choice("outliers", default: .f16, among: Self.outlierTypes)
    combine = try reader.choice("combine", default: .replace)
    index = try reader.choice("index", default: .smallest)
    columnOrder = try reader.choice("order", default: .tensor)
  }

  public var descriptor: CodecDescriptor {
    var descriptor = CodecDescriptor(
      "",
      [
        "outliers": outliers.rawValue, "combine": combine.rawValue, "index": index.rawValue,
        "order": columnOrder.rawValue,
      ])
    descriptor.name = "spqr"
    descriptor.parameters = dense.parameters + descriptor.parameters
    return descriptor
  }

  public var planes: [Plane] {
    let outliers = [PlaneRole.outlierRows, .outlierColumns, .outlierValues].map { Plane($0, .variable) }
    return dense.planes + outliers + (columnOrder == .permuted ? [Plane(.permutation, .whole)] : [])
  }

  public func alignment(columns: Int) -> Int { dense.alignment(columns: columns) }

  public func check(_ shape: Shape) throws(CodecError) { try dense.check(shape) }

  public func bytes(plane: Int, elements: Int, columns: Int) -> Int {
    guard plane >= 3 else { return dense.bytes(plane: plane, elements: elements, columns: columns) }
    guard columns > 0 else { return 0 }
    let rows = elements / columns
    let tileRows = (rows + dense.tileRows - 1) / dense.tileRows
    let header = 1 + 4 * dense.tileRows
    switch plane {
    case 3: return tileRows * header
    case 6: return columns * Self.permutationBytes(columns)
    case 4: return elements * OutlierIndex.columnBytes(columns) + tileRows * header
    default: return elements * 2
    }
  }

  /// Bytes of a matrix in which no weight is kept apart.
  public func bytesWithoutOutliers(elements: Int, columns: Int) -> Int {
    let tileRows = dense.tiles(elements: elements, columns: columns) / max(dense.tilesAcross(columns: columns), 1)
    let permutation = columnOrder == .permuted ? columns * Self.permutationBytes(columns) : 0
    return dense.planes.indices.reduce(tileRows + permutation) {
      $0 + dense.bytes(plane: $1, elements: elements, columns: columns)
    }
  }

  /// Bytes of an entry of a permutation.
  static func permutationBytes(_ columns: Int) -> Int { columns <= 1 << 16 ? 2 : 4 }

  /// Quantizes the dense part alone. Values don't say which of them matter: a solver with calibration chooses
  /// outliers and packs them with `pack(_:outliers:)`.
  public func encode(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule
  ) throws(CodecError) -> [[UInt8]] {
    guard columnOrder == .tensor else {
      throw .descriptor("\(descriptor)", reason: "an order of columns is chosen by a solver")
    }
    return try pack(dense.quantize(values, columns: columns, rule: rule), outliers: [])
  }
}

/// One weight kept apart, in the span it belongs to.
public struct Outlier: Sendable, Hashable {
  /// Index of the weight among the span's elements, row-major.
  public var position: Int
  /// The stored bits of the value, F16 or BF16 as the codec says.
  public var bits: UInt16

  public init(position: Int, bits: UInt16) {
    self.position = position
    self.bits = bits
  }
}

extension SpQRCodec {
  /// The F32 value of an outlier's stored bits.
  @inline(__always)
  func outlierValue(_ bits: UInt16) -> Float {
    let word = UInt32(bits)
    guard outliers == .f16 else { return Float(bitPattern: word << 16) }
    // Normal numbers, nearly all there are, without a call: the exponent is moved to the bias of F32.
    let exponent = word & 0x7C00
    guard exponent != 0, exponent != 0x7C00 else { return Float(f16: bits) }
    return Float(bitPattern: (word & 0x8000) << 16 | ((word & 0x7FFF) << 13 + 0x3800_0000))
  }

  /// The bits of the nearest outlier, ties to even. Finite values beyond the range go to the largest finite one.
  public func outlierBits(_ value: Float) -> UInt16 {
    guard outliers == .bf16 else { return Half.rounded(value).roundedToF16 }
    let rounded = value.roundedToBF16
    return value.isFinite && rounded & 0x7FFF == 0x7F80 ? rounded - 1 : rounded
  }

  /// A weight kept apart over the dense value at its place: the outlier's bits, and the weight that they make.
  public func outlier(_ weight: Float, over denseValue: Float) -> (bits: UInt16, weight: Float) {
    let bits = outlierBits(combine == .replace ? weight : weight - denseValue)
    let value = outlierValue(bits)
    return (bits, combine == .replace ? value : dense.arithmetic.sum(denseValue, value))
  }
}
