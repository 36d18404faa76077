/// What a codec must know about a whole tensor before it can encode the first span of it: numbers that merge.
public struct TensorStatistic: Sendable, Hashable {
  /// How the numbers of two spans become those of both.
  public enum Merge: Sendable, Hashable {
    case sum
    case maximum
  }

  public var values: [Double]
  public let merge: Merge

  public init(_ values: [Double], merge: Merge) {
    self.values = values
    self.merge = merge
  }

  /// Takes in the statistic of the span that follows.
  public mutating func append(_ next: TensorStatistic) {
    guard !values.isEmpty else { return values = next.values }
    for (index, value) in zip(values.indices, next.values) {
      values[index] = merge == .sum ? values[index] + value : max(values[index], value)
    }
  }
}

/// A codec whose parameters come from the whole tensor, such as the mean of all scales. Each pass goes over the tensor
/// in spans of a fixed size; the statistics of the spans are merged in order, so that the result doesn't depend on
/// threads:
/// ```
/// var statistics: [TensorStatistic] = []
/// for _ in 0..<codec.passes(rule) { statistics.append(spans.map { gather($0, after: statistics) }.merged) }
/// for span in spans { encode(span, statistics) }
/// ```
public protocol TensorStatisticCodec: QuantizingCodec {
  /// Passes over the tensor that `rule` needs before the first span can be encoded: often 0.
  func passes(rule: ScaleRule) -> Int

  /// The statistic of a span in pass number `previous.count`, given those of the passes before.
  func gather(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule, after previous: [TensorStatistic]
  ) throws(CodecError) -> TensorStatistic

  /// `encode` of a span of the tensor that has these statistics, one a pass. Every span fills `whole` planes, with
  /// the same bytes.
  func encode(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule, statistics: [TensorStatistic],
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError)
}

extension TensorStatisticCodec {
  /// Encodes a tensor that is one span.
  public func encode(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule,
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    let statistics = try statistics(of: values, columns: columns, rule: rule)
    try encode(values, columns: columns, rule: rule, statistics: statistics, into: planes)
  }

  /// What the passes over a tensor that is one span find.
  public func statistics(
    of values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule
  ) throws(CodecError) -> [TensorStatistic] {
    var statistics: [TensorStatistic] = []
    for _ in 0..<passes(rule: rule) {
      statistics.append(try gather(values, columns: columns, rule: rule, after: statistics))
    }
    return statistics
  }
}
