/// How the terms of a group are chosen from its values.
struct GroupScaling<Kernel: GroupKernel> {
  let codec: IntegerCodec
  let rule: ScaleRule

  /// Throws `CodecError.rule` for a rule that integers don't have.
  init(_ codec: IntegerCodec, rule: ScaleRule) throws(CodecError) {
    guard [.search, .absmax, .range].contains(rule) else {
      throw .rule(codec: "\(codec.descriptor)", rule: rule)
    }
    self.codec = codec
    self.rule = rule
  }

  /// The terms of a group; nil if its scale or bias overflows the type it is stored in.
  func terms(_ values: UnsafeBufferPointer<Float>, low: Float, high: Float) -> GroupTerms? {
    let plain = terms(low: low, high: high, divisor: divisor)
    guard rule == .search, plain?.scale != 0 else { return plain }
    return Kernel.search(values, self, low: low, high: high) ?? plain
  }

  /// The divisor of the rule without a search.
  var divisor: Float {
    codec.zero == .none && rule != .range ? Float(codec.codeRange.upperBound) : Float((1 << codec.bits) - 1)
  }

  /// The terms whose scale is the width of the group over `divisor`. The width is the largest magnitude of symmetric
  /// codes (of the range rule: from the smallest to the largest value), of codes with a zero point the distance from
  /// the smallest to the largest value with 0 between them, and without 0 for a bias.
  func terms(low: Float, high: Float, divisor: Float) -> GroupTerms? {
    switch codec.zero {
    case .none:
      let width = rule == .range ? Double(max(high, 0)) - Double(min(low, 0)) : Double(max(-low, high))
      return codec.storable(width / Double(divisor)).map { GroupTerms(scale: $0) }
    case .code:
      let (low, high) = (min(low, 0), max(high, 0))
      guard let scale = codec.storable((Double(high) - Double(low)) / Double(divisor)) else { return nil }
      return codec.withZeroPoint(scale: scale, low: low)
    case .bias(let type):
      guard let scale = codec.storable((Double(high) - Double(low)) / Double(divisor)) else { return nil }
      let levels = Double(codec.codeRange.upperBound)
      let middle = (Double(low) + Double(high)) / 2
      let bias = type.rounded(Float(scale == 0 ? middle : middle - levels * Double(scale) / 2))
      return bias.isFinite ? GroupTerms(scale: scale, bias: bias) : nil
    }
  }
}

extension IntegerCodec {
  /// The zero point that puts `low`, which is not positive, at code 0.
  func withZeroPoint(scale: Float, low: Float) -> GroupTerms {
    var terms = GroupTerms(scale: scale)
    terms.zero = min(max((-low * terms.inverse).rounded(.toNearestOrEven), 0), Float(codeRange.upperBound))
    return terms
  }

  /// The nearest scale that can be stored, at least the smallest one that isn't 0 unless `scale` is 0, or nil if it
  /// overflows. F32 scales keep 16 bits of significand, so that a code times a scale is exact and encoding decoded
  /// values finds the same scale.
  func storable(_ scale: Double) -> Float? {
    guard scale != 0 else { return 0 }
    switch self.scale {
    case .float(.f16):
      let rounded = max(ScalarFloat.f16.rounded(Float(scale)), 0x1p-24)
      return rounded.isFinite ? rounded : nil
    case .float(.bf16):
      let rounded = max(ScalarFloat.bf16.rounded(Float(scale)), Float.leastNormalMagnitude)
      return rounded.isFinite ? rounded : nil
    case .float(.f32), .quantized:
      let bits = Float(scale).bitPattern
      let rounded = Float(bitPattern: (bits &+ 0x7F &+ ((bits >> 8) & 1)) & ~0xFF)
      return rounded.isFinite ? max(rounded, .leastNormalMagnitude) : nil
    }
  }

  /// True if the codes of the extremes lie at least as far apart as the smallest divisor of the grid. A scale for
  /// which they don't would not be found again when its values are encoded once more.
  func spans(_ terms: GroupTerms, low: Float, high: Float) -> Bool {
    guard zero == .code else { return true }
    let top = (max(high, 0) * terms.inverse).rounded(.toNearestOrEven)
    let bottom = (min(low, 0) * terms.inverse).rounded(.toNearestOrEven)
    return top - bottom >= grid.first
  }

  /// The divisors that the search tries, ascending.
  var grid: ScaleGrid { zero == .none ? .symmetric(bits) : .unsigned(bits) }
}

/// Divisors from the smallest that is worth trying, with all integers up to the largest code, so that a group of
/// decoded values finds its own scale, and on beyond it, where the largest values are clipped.
struct ScaleGrid {
  let first: Float
  let last: Float
  let step: Float

  /// All divisors of the grid.
  var divisors: [Float] { Array(stride(from: first, through: last, by: step)) }

  static func symmetric(_ bits: Int) -> ScaleGrid {
    switch bits {
    case 2: ScaleGrid(first: 1, last: 4.5, step: 0.5)
    case 3: ScaleGrid(first: 3, last: 7, step: 0.5)
    case 4: ScaleGrid(first: 6, last: 11, step: 0.5)
    case 5: ScaleGrid(first: 13, last: 20, step: 1)
    case 6: ScaleGrid(first: 27, last: 37, step: 1)
    default: ScaleGrid(first: 119, last: 132, step: 1)
    }
  }

  static func unsigned(_ bits: Int) -> ScaleGrid {
    switch bits {
    case 2: ScaleGrid(first: 2, last: 5, step: 0.5)
    case 3: ScaleGrid(first: 5, last: 10, step: 0.5)
    case 4: ScaleGrid(first: 12, last: 20, step: 1)
    case 5: ScaleGrid(first: 27, last: 38, step: 1)
    case 6: ScaleGrid(first: 57, last: 68, step: 1)
    default: ScaleGrid(first: 248, last: 260, step: 1)
    }
  }
}
