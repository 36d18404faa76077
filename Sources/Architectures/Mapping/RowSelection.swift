/// Which rows of a tensor are taken, and in what order. Every selection is a formula, so a streaming reader can ask for
/// the source of any output row without a table.
public enum RowSelection: Sendable, Hashable {
  /// All rows as they stand.
  case all
  /// A run of rows.
  case range(Range<Int>)
  /// `count` rows, `step` apart, from row `start`: every other row of an interleaved pair, for instance.
  case strided(start: Int, step: Int, count: Int)
  /// `count` runs of `length` rows; run k starts at row `offset + k * stride`.
  case blocks(offset: Int, length: Int, stride: Int, count: Int)
  /// All rows, those of each of `heads` heads permuted from Hugging Face's rotary order (first halves, then second
  /// halves) to the pairs that ggml rotates: reshape(heads, 2, n) to (heads, n, 2).
  case headPermuted(heads: Int)
  /// The inverse of `headPermuted`.
  case headRestored(heads: Int)

  /// Number of rows selected from a tensor of `rows` rows, or nil if the selection doesn't fit it.
  public func count(of rows: Int) -> Int? {
    switch self {
    case .all: return rows
    case .range(let range): return range.lowerBound >= 0 && range.upperBound <= rows ? range.count : nil
    case .strided(let start, let step, let count):
      return fits(last: count == 0 ? start : start + (count - 1) * step, first: start, rows) ? count : nil
    case .blocks(let offset, let length, let stride, let count):
      return fits(last: offset + (count - 1) * stride + length - 1, first: offset, rows) ? length * count : nil
    case .headPermuted(let heads), .headRestored(let heads):
      return heads > 0 && rows % heads == 0 && rows / heads % 2 == 0 ? rows : nil
    }
  }

  /// The source row of an output row, both counted from 0, in a tensor of `rows` rows that the selection fits.
  public func sourceRow(forOutputRow row: Int, of rows: Int) -> Int {
    switch self {
    case .all: return row
    case .range(let range): return range.lowerBound + row
    case .strided(let start, let step, _): return start + row * step
    case .blocks(let offset, let length, let stride, _): return offset + row / length * stride + row % length
    case .headPermuted(let heads):
      let head = rows / heads
      let (base, within) = (row / head * head, row % head)
      return base + within % 2 * (head / 2) + within / 2
    case .headRestored(let heads):
      let head = rows / heads
      let (base, within) = (row / head * head, row % head)
      return base + within % (head / 2) * 2 + within / (head / 2)
    }
  }

  /// Number of output rows from `row` on whose sources follow one another, at most `limit`.
  public func run(fromOutputRow row: Int, limit: Int) -> Int {
    switch self {
    case .all, .range: limit
    case .strided(_, let step, _): step == 1 ? limit : 1
    case .blocks(_, let length, _, _): min(limit, length - row % length)
    case .headPermuted, .headRestored: 1
    }
  }

  private func fits(last: Int, first: Int, _ rows: Int) -> Bool { first >= 0 && last < max(rows, first + 1) }
}
