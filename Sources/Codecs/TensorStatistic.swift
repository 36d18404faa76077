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
    if values.isEmpty { values = next.values }
    for (index, value) in zip(values.indices, next.values) {
      values[index] = merge == .sum ? values[index] + value : max(values[index], value)
    }
  }
}
