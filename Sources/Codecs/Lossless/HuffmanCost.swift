/// What a Huffman code makes of bytes, without making it.
enum HuffmanCost {
  /// Bits of all bytes in the best prefix code for them (Huffman, 1952), without its table. Exact, so that what is
  /// decided by it is the same on every machine.
  static func bits(_ bytes: UnsafeRawBufferPointer) -> Int {
    var histogram = [Int](repeating: 0, count: 256)
    for byte in bytes { histogram[Int(byte)] += 1 }
    let leaves = histogram.filter { $0 > 0 }.sorted()
    // Sums come about in ascending order: the two smallest of all are at the front of one list or the other.
    var sums: [Int] = []
    var (leaf, sum) = (0, 0)
    func next() -> Int {
      if sum < sums.count, leaf == leaves.count || sums[sum] < leaves[leaf] {
        sum += 1
        return sums[sum - 1]
      }
      leaf += 1
      return leaves[leaf - 1]
    }
    for _ in 1..<max(leaves.count, 1) {
      let pair = next() + next()
      sums.append(pair)
    }
    return sums.reduce(0, +)
  }
}
