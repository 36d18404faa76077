/// The blocks of a square matrix on its diagonal and below it.
struct SquareBlocks {
  private static let side = 64

  /// Rows and columns of each block.
  let pairs: [(rows: Range<Int>, columns: Range<Int>)]

  init(_ size: Int) {
    let ranges = stride(from: 0, to: size, by: Self.side).map { $0..<min($0 + Self.side, size) }
    pairs = ranges.indices.flatMap { row in (0...row).map { (ranges[row], ranges[$0]) } }
  }
}
