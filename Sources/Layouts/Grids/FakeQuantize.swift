import Codecs
import Tensors

/// Weights trained under torch's FakeQuantize, still floats: `X.weight_fake_quant.scale` and `.zero_point` beside
/// `X.weight`. The least and the largest code aren't stored: they follow from the observed range, which is so many
/// steps wide.
struct FakeQuantize: Layout {
  let name = "torch FakeQuantize"

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    try stored.ending(".weight_fake_quant.scale").compactMap { module, scales in
      guard let weight = stored["\(module).weight"] else { return nil }
      let prefix = "\(module).weight_fake_quant."
      if let enabled = stored["\(prefix)fake_quant_enabled"], try stored.integers(enabled, of: weight.name).first == 0 {
        return nil
      }
      let companions = stored.all.filter { $0.name.hasPrefix(prefix) }
      do {
        return try encoding(weight, scales, prefix, stored)
          .logical(weight, rule: .multiplied, layout: name, companions: companions, stored)
      } catch let error as LayoutError {
        guard case .unreadable = error.reason else { throw error }
        return LogicalTensor(refused: error, name: weight.name, members: [weight] + companions)
      }
    }
  }

  private func encoding(
    _ weight: StoredTensor, _ scales: StoredTensor, _ prefix: String, _ stored: StoredTensors
  ) throws -> GridEncoding {
    let zeros = try stored.required("\(prefix)zero_point", of: weight.name)
    let steps = try floats(scales, of: weight.name, stored)
    let points: [Double] =
      zeros.dtype == .f32
      ? try floats(zeros, of: weight.name, stored)
      : try stored.integers(zeros, of: weight.name).map { Double($0) }
    guard points.count == steps.count, !steps.isEmpty else {
      throw stored.fault(
        .shape(stored: zeros.name, found: zeros.shape, expected: "as many as '\(scales.name)'"), weight.name)
    }
    let observer = "\(prefix)activation_post_process."
    guard let lowest = stored["\(observer)min_val"], let highest = stored["\(observer)max_val"],
      let range = Range(
        steps, points, try floats(lowest, of: weight.name, stored), try floats(highest, of: weight.name, stored))
    else {
      throw stored.fault(
        .unreadable(
          layout: "a FakeQuantize whose observed range tells no width", remedy: "convert the model with torch first"),
        weight.name)
    }
    return GridEncoding(
      bits: range.bits, zeros: points.map { $0 - range.least }, scales: steps, axis: steps.count == 1 ? nil : 0,
      isNarrow: range.isNarrow)
  }

  private func floats(_ tensor: StoredTensor, of logical: String, _ stored: StoredTensors) throws -> [Double] {
    try stored.check(tensor, [.f32], of: logical)
    return try stored.content(tensor).withUnsafeBytes { bytes in
      (0..<bytes.count / 4).map { Double(ScalarFloat.f32.load(bytes, $0)) }
    }
  }

  /// The codes that a range of so many steps takes.
  private struct Range {
    var bits: Int
    /// The least code of so many bits, used or not.
    var least: Double
    var isNarrow: Bool

    /// Nil where no width fits: the range and the scales aren't of one observation.
    init?(_ scales: [Double], _ zeros: [Double], _ lowest: [Double], _ highest: [Double]) {
      guard lowest.count == scales.count, highest.count == scales.count else { return nil }
      let isCentred = zeros.allSatisfy { $0 == zeros[0] }
      let symmetric = zip(scales, zip(lowest, highest)).map { 2 * max(abs($1.0), abs($1.1)) / $0 }
      let affine = zip(scales, zip(lowest, highest)).map { (max($1.1, 0) - min($1.0, 0)) / $0 }
      for bits in 2...8 {
        let (half, steps) = (Double(1 << (bits - 1)), Double(1 << bits) - 1)
        func fits(_ found: [Double], _ expected: Double) -> Bool {
          found.allSatisfy { abs($0 - expected) <= 0.01 * expected }
        }
        self.bits = bits
        for narrow in [false, true] where isCentred && fits(symmetric, steps - (narrow ? 1 : 0)) {
          guard zeros[0] == 0 || zeros[0] == half else { continue }
          (least, isNarrow) = (zeros[0] == 0 ? -half : 0, narrow)
          return
        }
        if fits(affine, steps) {
          // Where the range begins is the least code: 0, or half of the codes below it.
          let first = zeros[0] + (min(lowest[0], 0) / scales[0]).rounded(.toNearestOrEven)
          (least, isNarrow) = (abs(first) < abs(first + half) ? 0 : -half, false)
          return
        }
      }
      return nil
    }
  }
}
