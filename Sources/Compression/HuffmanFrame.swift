/// The plain reference of `bale_huffman_frame`: a zstd frame (RFC 8878) whose blocks are Huffman-coded literals without
/// sequences, each by a table of its own or by that of the block before, whichever takes less.
struct HuffmanFrame {
  private static let mostBits = 11
  private static let leastBytes = 1024
  private static let leastCoded = 64
  private static let blockBytes = 128 << 10

  private(set) var bytes: [UInt8]

  /// Nil for bytes that the kernel leaves to libzstd.
  init?(_ source: [UInt8]) {
    guard source.count >= Self.leastBytes, source.count < 1 << 31 else { return nil }
    bytes = Self.littleEndian(0xFD2F_B528, 4)
    // A single segment, with the content size in two or four bytes.
    let isShort = source.count < 65536 + 256
    bytes += [isShort ? 0x60 : 0xA0] + Self.littleEndian(isShort ? source.count - 256 : source.count, isShort ? 2 : 4)
    var known: Table?
    for start in stride(from: 0, to: source.count, by: Self.blockBytes) {
      let block = source[start..<min(start + Self.blockBytes, source.count)]
      let isLast = block.endIndex == source.count
      if block.count < Self.leastCoded {
        appendBlock(Array(block), type: 0, isLast: isLast)
        continue
      }
      guard let own = Table(Self.counts(block)) else { return nil }
      let reused = known.flatMap { $0.bits(Self.counts(block)) }
      let isNew = reused.map { $0 > (own.bits(Self.counts(block)) ?? 0) + 8 * own.description.count } ?? true
      if isNew { known = own }
      appendBlock(Self.literals(block, by: known ?? own, isNew: isNew) + [0], type: 2, isLast: isLast)
    }
  }

  private mutating func appendBlock(_ content: [UInt8], type: Int, isLast: Bool) {
    bytes += Self.littleEndian(content.count << 3 | type << 1 | (isLast ? 1 : 0), 3) + content
  }

  private static func counts(_ block: ArraySlice<UInt8>) -> [Int] {
    block.reduce(into: [Int](repeating: 0, count: 256)) { $0[Int($1)] += 1 }
  }

  /// The literals section: header, table if it is new, sizes of the first three streams, four streams.
  private static func literals(_ block: ArraySlice<UInt8>, by table: Table, isNew: Bool) -> [UInt8] {
    let segment = (block.count + 3) / 4
    let streams = (0..<4).map { number in
      stream(Array(block.dropFirst(number * segment).prefix(segment)), by: table)
    }
    let content =
      (isNew ? table.description : []) + streams.dropLast().flatMap { littleEndian($0.count, 2) } + streams.joined()
    return littleEndian((isNew ? 2 : 3) | 3 << 2 | block.count << 4 | content.count << 22, 5) + content
  }

  /// The codes from the last symbol to the first, from the lowest bit up, and a one.
  private static func stream(_ symbols: [UInt8], by table: Table) -> [UInt8] {
    var bits: [Bool] = []
    for symbol in symbols.reversed() {
      let (code, length) = (table.codes[Int(symbol)], table.lengths[Int(symbol)])
      bits += (0..<length).map { code >> $0 & 1 == 1 }
    }
    bits.append(true)
    return stride(from: 0, to: bits.count, by: 8).map { start in
      bits[start..<min(start + 8, bits.count)].reversed().reduce(0) { $0 << 1 | ($1 ? 1 : 0) }
    }
  }

  private static func littleEndian(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}

extension HuffmanFrame {
  /// Codes of at most 11 bits.
  struct Table {
    private static let mostSymbols = 129

    private(set) var lengths: [Int]
    private(set) var codes: [Int]

    /// Nil for a value above 128, or one value alone.
    init?(_ counts: [Int]) {
      let order = counts.indices.filter { counts[$0] > 0 }.sorted { (counts[$0], $0) < (counts[$1], $1) }
      guard order.count > 1, order.allSatisfy({ $0 < Self.mostSymbols }) else { return nil }
      lengths = Self.lengths(counts, order)
      codes = [Int](repeating: 0, count: counts.count)
      // From 0, the longest first, those of one length by value.
      var next = 0
      for length in stride(from: HuffmanFrame.mostBits, to: 0, by: -1) {
        for value in counts.indices where lengths[value] == length {
          codes[value] = next
          next += 1
        }
        next >>= 1
      }
    }

    /// The best lengths, by package-merge (Larmore and Hirschberg, 1990). Ties go to symbols.
    private static func lengths(_ counts: [Int], _ order: [Int]) -> [Int] {
      var levels: [[(weight: Int, isSymbol: Bool)]] = [[]]
      for _ in 0..<HuffmanFrame.mostBits {
        let below = levels[levels.count - 1]
        let packages = stride(from: 0, to: below.count / 2 * 2, by: 2).map { below[$0].weight + below[$0 + 1].weight }
        let items = order.map { (weight: counts[$0], isSymbol: true) } + packages.map { (weight: $0, isSymbol: false) }
        levels.append(items.sorted { ($0.weight, $0.isSymbol ? 0 : 1) < ($1.weight, $1.isSymbol ? 0 : 1) })
      }
      var lengths = [Int](repeating: 0, count: counts.count)
      var taken = 2 * order.count - 2
      for level in levels.dropFirst().reversed() {
        let symbols = level.prefix(taken).count { $0.isSymbol }
        for value in order.prefix(symbols) { lengths[value] += 1 }
        taken = 2 * (taken - symbols)
      }
      return lengths
    }

    /// Bits of all symbols; nil if one has no code.
    func bits(_ counts: [Int]) -> Int? {
      guard counts.indices.allSatisfy({ counts[$0] == 0 || lengths[$0] > 0 }) else { return nil }
      return counts.indices.reduce(0) { $0 + counts[$1] * lengths[$1] }
    }

    /// The weights of all values but the last: in four bits each, or compressed where that takes less.
    var description: [UInt8] {
      let longest = lengths.max() ?? 0
      let last = lengths.lastIndex { $0 > 0 } ?? 0
      let weights = lengths[..<last].map { $0 == 0 ? 0 : longest + 1 - $0 }
      let direct = stride(from: 0, to: last, by: 2).map {
        UInt8(weights[$0] << 4 | ($0 + 1 < last ? weights[$0 + 1] : 0))
      }
      if let compressed = HuffmanWeights.compressed(weights), compressed.count < direct.count {
        return [UInt8(compressed.count)] + compressed
      }
      return [UInt8(127 + last)] + direct
    }
  }
}
