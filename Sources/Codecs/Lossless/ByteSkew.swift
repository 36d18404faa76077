/// A guess, from a sample, whether entropy coding would make bytes smaller.
public enum ByteSkew {
  /// Bytes looked at: enough to tell a gain of a few percent from chance.
  static let sample = 4096

  /// Whether two bytes of a sample, taken at even distances, are the same a quarter more often than the one time in
  /// 256 of noise. That is a gain of about 2 %; libzstd stores literals as they are that gain less than 1/64, and the
  /// leading mantissa bits of weights stay below it. Depends on the bytes alone.
  public static func isLikely(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count > 1 else { return false }
    let count = min(bytes.count, sample)
    return withUnsafeTemporaryAllocation(of: Int.self, capacity: 256) { histogram in
      histogram.initialize(repeating: 0)
      for index in 0..<count { histogram[Int(bytes[bytes.count / count * index])] += 1 }
      let pairs = histogram.reduce(0) { $0 + $1 * ($1 - 1) }
      return pairs * 256 > count * (count - 1) / 4 * 5
    }
  }
}
