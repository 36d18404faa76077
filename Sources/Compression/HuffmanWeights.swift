/// The plain reference of `bale_write_weights`: the weights of a Huffman table in FSE (RFC 8878, 4.1 and 4.2.1.2), with
/// two states of 6 bits that take turns.
enum HuffmanWeights {
  private static let log = 6
  private static let states = 1 << log
  private static let kinds = 12

  /// Nil for fewer than three weights, or weights that are all the same.
  static func compressed(_ weights: [Int]) -> [UInt8]? {
    let counts = (0..<kinds).map { kind in weights.count { $0 == kind } }
    guard weights.count >= 3, counts.count(where: { $0 > 0 }) >= 2 else { return nil }
    let shares = shares(counts, of: weights.count)
    var bits: [Bool] = []
    append(shares: shares, to: &bits)
    let tables = stateTables(shares)
    var current = [0, 0]
    for (index, weight) in weights.enumerated().reversed() {
      let turn = index % 2
      if index >= weights.count - 2 {
        current[turn] = tables[weight][0]
        continue
      }
      var width = 0
      while current[turn] >> width >= 2 * shares[weight] { width += 1 }
      append(current[turn], width, to: &bits)
      current[turn] = tables[weight][current[turn] >> width - shares[weight]]
    }
    append(current[1] - states, log, to: &bits)
    append(current[0] - states, log, to: &bits)
    bits.append(true)
    return bytes(&bits)
  }

  /// Shares of the states as near to the counts as whole numbers come, at least 1 for each that occurs: what is missing
  /// goes to the most frequent, what is too much comes from those with the largest shares.
  private static func shares(_ counts: [Int], of total: Int) -> [Int] {
    var shares = counts.map { $0 == 0 ? 0 : max($0 * states / total, 1) }
    let sum = shares.reduce(0, +)
    if sum < states { shares[first(of: counts)] += states - sum }
    for _ in 0..<max(sum - states, 0) { shares[first(of: shares)] -= 1 }
    return shares
  }

  /// Where the largest is, the first of several.
  private static func first(of numbers: [Int]) -> Int { numbers.firstIndex(of: numbers.max() ?? 0) ?? 0 }

  /// RFC 8878, 4.1.1.
  private static func append(shares: [Int], to bits: inout [Bool]) {
    append(log - 5, 4, to: &bits)
    var (left, kind) = (states, 0)
    while left > 0 {
      let value = shares[kind] + 1
      let width = Int.bitWidth - (left + 1).leadingZeroBitCount
      let half = 1 << (width - 1)
      let few = 2 * half - 1 - (left + 1)
      if value < few {
        append(value, width - 1, to: &bits)
      } else {
        append(value < half ? value : value + few, width, to: &bits)
      }
      left -= shares[kind]
      kind += 1
      guard value == 1 else { continue }
      var zeros = shares[kind...].prefix { $0 == 0 }.count
      kind += zeros
      while zeros >= 3 {
        append(3, 2, to: &bits)
        zeros -= 3
      }
      append(zeros, 2, to: &bits)
    }
    bits += Array(repeating: false, count: (8 - bits.count % 8) % 8)
  }

  /// The states of each kind, ascending, with the number of all added.
  private static func stateTables(_ shares: [Int]) -> [[Int]] {
    var tables = shares.map { _ in [Int]() }
    var at = 0
    for (kind, share) in shares.enumerated() {
      for _ in 0..<share {
        tables[kind].append(states + at)
        at = (at + states / 2 + states / 8 + 3) % states
      }
    }
    return tables.map { $0.sorted() }
  }

  private static func append(_ value: Int, _ count: Int, to bits: inout [Bool]) {
    bits += (0..<count).map { value >> $0 & 1 == 1 }
  }

  private static func bytes(_ bits: inout [Bool]) -> [UInt8] {
    bits += Array(repeating: false, count: (8 - bits.count % 8) % 8)
    return stride(from: 0, to: bits.count, by: 8).map { start in
      bits[start..<start + 8].reversed().reduce(0) { $0 << 1 | ($1 ? 1 : 0) }
    }
  }
}
