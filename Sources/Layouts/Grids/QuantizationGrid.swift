import Codecs
import Tensors

/// A grid that float weights are rounded to before they are used: quantization-aware training stores the floats and the
/// grid, and the codes follow from both.
public struct QuantizationGrid: Sendable {
  /// What a weight becomes before it is rounded.
  enum Rule: Sendable {
    /// w / s, rounded, then plus the zero point (AIMET).
    case divided
    /// w (1 / s), rounded, then plus the zero point (torch's FakeQuantize).
    case multiplied
    /// w / s plus the zero point, rounded: for zero points that aren't integers.
    case shifted
  }

  let bits: Int
  let rule: Rule
  let sharing: ScaleSharing
  /// One a group, in the order of the stored scales.
  let scales: [Float]
  /// The code that stands for 0 in each group, counted from the least code of the encoding.
  let zeros: [Float]
  /// The least and the largest code, counted from 0.
  let range: ClosedRange<Float>
  /// True if codes are written as two's complement: less half of their range.
  let isSigned: Bool
  /// Type of the stored weights.
  let dtype: DType

  /// The codes of a run of weights, as one little-endian bit stream: where rows don't end on a byte, the encoding has
  /// none.
  func pack(_ values: UnsafeBufferPointer<Float>, from start: Int, into bytes: UnsafeMutableRawBufferPointer) {
    _ = bytes.initializeMemory(as: UInt8.self, repeating: 0)
    guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    let flip: UInt32 = isSigned ? 1 << UInt32(bits - 1) : 0
    for index in values.indices {
      let code = code(values[index], group: sharing.group(of: start + index)) ^ flip
      FieldBits.store(code, base, index, bits: bits)
    }
  }

  /// The nearest code, counted from 0; ties go to the even one.
  @inline(__always)
  private func code(_ value: Float, group: Int) -> UInt32 {
    let (scale, zero) = (scales[group], zeros[group])
    let place: Float =
      switch rule {
      case .divided: (value / scale).rounded(.toNearestOrEven) + zero
      case .multiplied: (value * (1 / scale)).rounded(.toNearestOrEven) + zero
      case .shifted: (value / scale + zero).rounded(.toNearestOrEven)
      }
    // NaN has no code: it takes the least.
    return UInt32(max(range.lowerBound, min(place, range.upperBound)))
  }
}

extension ScaleSharing {
  /// The group of an element, in the order of the stored scales.
  @inline(__always)
  func group(of element: Int) -> Int {
    switch self {
    case .tensor: return 0
    case .axis(_, let count, let inner): return element / inner % count
    case .blocks(let size, _, let length, let inner):
      let (slice, place) = (element / (length * inner), element / inner % length)
      return (slice * ((length + size - 1) / size) + place / size) * inner + element % inner
    }
  }
}
