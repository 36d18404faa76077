import ByteIO
import Codecs
import Tensors

/// A grid as some file describes it, whatever its way of speaking: integers of so many bits, scales, zero points.
struct GridEncoding: Equatable {
  var bits: Int
  /// The codes count from 0: what stands for 0 in each group.
  var zeros: [Double]
  var scales: [Double]
  /// The axis that scales lie along, and how many elements a block; nil and 0 where there is one scale.
  var axis: Int?
  var block = 0
  /// The shape of the scales; nil for as many as the axis is long.
  var scaleShape: [Int]?
  /// True if the least code isn't used.
  var isNarrow = false

  /// The tensor that weights become on this grid. Throws `LayoutError`.
  func logical(
    _ weight: StoredTensor, rule: QuantizationGrid.Rule, layout: String, companions: [StoredTensor],
    _ stored: StoredTensors
  ) throws(LayoutError) -> LogicalTensor {
    try stored.check(weight, [.f32, .f16, .bf16], of: weight.name)
    guard (2...8).contains(bits) || bits == 16, !scales.isEmpty, zeros.count == scales.count,
      scales.allSatisfy({ Float($0).isFinite && $0 > 0 }), zeros.allSatisfy({ abs($0) <= Double(1 << 24) })
    else { throw stored.fault(.value("its grid has no \(bits) bits, or scales that can't be used"), weight.name) }
    let shape = try stored.shape(weight.shape, of: weight.name)
    let shared = axis == nil ? [] : scaleShape ?? [scales.count]
    guard shared.reduce(Optional(1), { $0?.multiplied(by: $1) }) == scales.count,
      let sharing = ScaleSharing(weight.shape, scales: shared, axis: axis ?? 0, block: block)
    else {
      throw stored.fault(
        .shape(stored: weight.name, found: weight.shape, expected: "what \(scales.count) scales serve"), weight.name)
    }
    let half = Double(1 << (bits - 1))
    let isSigned = zeros.allSatisfy { $0 == half }
    let isWhole = zeros.allSatisfy { $0.rounded() == $0 }
    let isByte = isWhole && bits <= 8 && zeros.allSatisfy { (0...255).contains($0) }
    let grid = QuantizationGrid(
      bits: bits, rule: isWhole ? rule : .shifted, sharing: sharing, scales: scales.map { Float($0) },
      zeros: zeros.map { Float($0) }, range: (isNarrow ? 1 : 0)...Float(half * 2 - 1), isSigned: isSigned,
      dtype: weight.dtype)
    let zero: IntegersCodec.Zero = isSigned ? .none : isByte ? .code : .point(.f32)
    return try tensor(weight, grid, zero, shape, layout: layout, companions: companions, stored)
  }

  private func tensor(
    _ weight: StoredTensor, _ grid: QuantizationGrid, _ zero: IntegersCodec.Zero, _ shape: Shape, layout: String,
    companions: [StoredTensor], _ stored: StoredTensors
  ) throws(LayoutError) -> LogicalTensor {
    let isAligned = shape.rows == 1 || shape.columns * bits % 8 == 0
    let (grouping, order) = grid.sharing.grouping(columns: shape.columns, isAligned: isAligned)
    guard order.count(elements: shape.elements) <= 1 << 22 else {
      throw stored.fault(
        .unreadable(layout: "a grid of blocks along an inner axis", remedy: "pack it as it is"), weight.name)
    }
    let codec = try stored.naming(weight.name) { () throws(CodecError) in
      try IntegerForm.codec(bits: bits, grouping: grouping, scale: .f32, zero: zero)
    }
    let indices = order == .same ? Array(scales.indices) : order.indices(elements: shape.elements)
    var planes: [PlaneSource] = [
      .quantized(weight, grid), .bytes(indices.flatMap { Self.bytes(grid.scales[$0]) }),
    ]
    switch zero {
    case .code: planes.append(.bytes(indices.map { UInt8(grid.zeros[$0]) }))
    case .point: planes.append(.bytes(indices.flatMap { Self.bytes(grid.zeros[$0]) }))
    case .none, .bias: break
    }
    return LogicalTensor(
      name: weight.name, shape: shape, codec: codec, layout: layout, planes: planes, companions: companions)
  }

  private static func bytes(_ value: Float) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) }
  }
}
