import Tensors

/// Integer codes with a scale a group, given zero points or biases that they did without, or biases for zero points,
/// such that every value stays the same in F32.
struct IntegerRelayout: Relayout {
  let source: IntegerCodec
  let target: IntegerCodec

  /// Nil unless the codes are the same but for the half of their range that unsigned ones have added, and scales and
  /// biases hold what they have to exactly: 16-bit scales keep the product with a code within F32.
  init?(from source: any Codec, to target: any Codec) {
    guard let source = source as? IntegerCodec, let target = target as? IntegerCodec, source.bits == target.bits,
      source.grouping == target.grouping, source.grouping != .column, case .float(let from) = source.scale,
      case .float(let to) = target.scale
    else { return nil }
    switch (source.zero, target.zero) {
    case (.none, .code): guard from == to else { return nil }
    case (.none, .bias(let bias)): guard from == to, bias == from, from != .f32 else { return nil }
    case (.code, .bias(.f32)): guard from != .f32, to == .f32 else { return nil }
    default: return nil
    }
    self.source = source
    self.target = target
  }

  func run(_ input: EncodedSpan, into planes: [UnsafeMutableRawBufferPointer]) throws(CodecError) {
    try source.checkPlanes(input, room: input.elements)
    try target.checkPlanes(planes, elements: input.elements, columns: input.columns)
    guard case .float(let from) = source.scale, case .float(let to) = target.scale else { return }
    if source.zero == .none { flip(input, into: planes[0]) } else { planes[0].copyMemory(from: input.planes[0]) }
    if from == to { planes[1].copyMemory(from: input.planes[1]) }
    for group in 0..<input.planes[1].count / from.bytes {
      let scale = from.load(input.planes[1], group)
      if from != to { to.store(scale, planes[1], group) }
      let zero = source.zero == .none ? 1 << (source.bits - 1) : Int(input.planes[2][group])
      guard case .bias(let type) = target.zero else {
        planes[2][group] = UInt8(zero)
        continue
      }
      let bias = type.rounded(-Float(zero) * scale)
      guard bias.isFinite else {
        throw .value(
          codec: "\(target.descriptor)", plane: .scales, offset: group * from.bytes, reason: "its bias overflows")
      }
      type.store(bias, planes[2], group)
    }
  }

  /// Two's complement to offset codes.
  private func flip(_ input: EncodedSpan, into codes: UnsafeMutableRawBufferPointer) {
    let layout = source.layout(columns: input.columns)
    let mask = UInt8(1 << (source.bits - 1))
    codes.initializeMemory(as: UInt8.self, repeating: 0)
    for row in layout.eachRow(elements: input.elements, columns: input.columns) {
      let from = UnsafeRawBufferPointer(rebasing: input.planes[0][row.codes])
      let to = UnsafeMutableRawBufferPointer(rebasing: codes[row.codes])
      for index in 0..<row.elements.count { layout.put(layout.code(index, in: from) ^ mask, at: index, in: to) }
    }
  }
}
