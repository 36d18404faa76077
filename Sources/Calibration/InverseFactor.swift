import CLAPACK
import Pipeline

/// The upper triangular U with U^T U = inverse(A) of a symmetric positive definite matrix A, row-major.
///
/// A with rows and columns in reverse order is factored, L L^T, and L inverted: reversed again, that is U. Both go by
/// blocks of a fixed size (right-looking Cholesky, LAPACK Working Note 41), the blocks of a step spread over threads;
/// every block is computed by the same calls however many threads there are.
struct InverseFactor {
  private let size: Int
  private let threads: Int
  /// The lower triangle of A reversed, then L.
  private let lower: UnsafeMutablePointer<Float>
  /// The inverse of L, then U.
  private let inverse: UnsafeMutablePointer<Float>

  /// Rows and columns of a block.
  static let side = 256

  /// - Parameter added: what is added to the diagonal of the matrix.
  /// Nil if the sum isn't positive definite to working precision.
  static func of(_ matrix: [Float], size: Int, adding added: Float = 0, threads: Int = 1) -> [Float]? {
    LinearAlgebra.useOneThread()
    guard size > 0, Int32(exactly: size) != nil else { return size == 0 ? [] : nil }
    let lower = UnsafeMutablePointer<Float>.allocate(capacity: size * size)
    defer { lower.deallocate() }
    var isDone = false
    let factor = [Float](unsafeUninitializedCapacity: size * size) { inverse, count in
      guard let inverse = inverse.baseAddress else { return }
      let work = InverseFactor(size: size, threads: threads, lower: lower, inverse: inverse)
      matrix.withUnsafeBufferPointer { if let matrix = $0.baseAddress { work.fill(matrix, adding: added) } }
      guard work.factor() else { return }
      work.invert()
      isDone = work.reverse()
      count = size * size
    }
    return isDone ? factor : nil
  }

  /// Reversing rows and columns of a square is reversing its elements.
  private func fill(_ matrix: UnsafePointer<Float>, adding added: Float) {
    let last = size * size - 1
    spread(size) { row in
      let start = row * size
      for place in start...start + row { lower[place] = matrix[last - place] }
      lower[start + row] += added
      (inverse + start).initialize(repeating: 0, count: size)
    }
  }

  /// Turns the inverse of L into U. False if a value isn't finite.
  private func reverse() -> Bool {
    let last = size * size - 1
    let pairs = (size + 1) / 2
    let isFinite = UnsafeMutablePointer<Bool>.allocate(capacity: pairs)
    defer { isFinite.deallocate() }
    spread(pairs) { row in
      // The middle row of an odd number is a pair with itself.
      let end = 2 * row + 1 == size ? row * size + size / 2 + 1 : (row + 1) * size
      var sum: Float = 0
      for place in row * size..<end {
        let (first, second) = (inverse[place], inverse[last - place])
        (inverse[place], inverse[last - place]) = (second, first)
        sum += (first - first) + (second - second)
      }
      isFinite[row] = sum == 0
    }
    return (0..<pairs).allSatisfy { isFinite[$0] }
  }

  /// The blocks from row or column `start` on.
  private func blocks(from start: Int) -> [Range<Int>] {
    stride(from: start, to: size, by: Self.side).map { $0..<min($0 + Self.side, size) }
  }

  /// L L^T = A in the lower triangle; false if there is none.
  private func factor() -> Bool {
    for block in blocks(from: 0) {
      // LAPACK's upper triangle by columns is the lower one by rows.
      var (order, leading, info) = (Int32(block.count), Int32(size), Int32(0))
      spotrf_("U", &order, at(lower, block.lowerBound, block.lowerBound), &leading, &info)
      guard info == 0 else { return false }
      let later = blocks(from: block.upperBound)
      spread(later.count) { solveRows(later[$0], block) }
      spread(later.count) { subtractProducts(of: block, from: later[$0]) }
    }
    return true
  }

  /// Rows of L in the columns of a factored block.
  private func solveRows(_ rows: Range<Int>, _ block: Range<Int>) {
    cblas_strsm(
      CblasRowMajor, CblasRight, CblasLower, CblasTrans, CblasNonUnit, Int32(rows.count), Int32(block.count), 1,
      at(lower, block.lowerBound, block.lowerBound), Int32(size), at(lower, rows.lowerBound, block.lowerBound),
      Int32(size))
  }

  /// What the columns of `block` leave of a column of blocks.
  private func subtractProducts(of block: Range<Int>, from columns: Range<Int>) {
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, Int32(size - columns.lowerBound), Int32(columns.count),
      Int32(block.count), -1, at(lower, columns.lowerBound, block.lowerBound), Int32(size),
      at(lower, columns.lowerBound, block.lowerBound), Int32(size), 1,
      at(lower, columns.lowerBound, columns.lowerBound), Int32(size))
  }

  private func invert() {
    let blocks = blocks(from: 0)
    spread(blocks.count) { invertColumns(blocks[$0]) }
  }

  /// A column of blocks of the inverse: that of the block itself, and below it the solution of L X = -L[below, block]
  /// times it.
  private func invertColumns(_ block: Range<Int>) {
    let (first, width, below) = (block.lowerBound, Int32(block.count), Int32(size - block.upperBound))
    for row in block {
      at(inverse, row, first).update(from: at(lower, row, first), count: row - first + 1)
    }
    var (order, leading, info) = (width, Int32(size), Int32(0))
    strtri_("U", "N", &order, at(inverse, first, first), &leading, &info)
    guard below > 0 else { return }
    let rest = block.upperBound
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, below, width, width, -1, at(lower, rest, first), Int32(size),
      at(inverse, first, first), Int32(size), 0, at(inverse, rest, first), Int32(size))
    cblas_strsm(
      CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, below, width, 1, at(lower, rest, rest),
      Int32(size), at(inverse, rest, first), Int32(size))
  }

  private func at(_ matrix: UnsafeMutablePointer<Float>, _ row: Int, _ column: Int) -> UnsafeMutablePointer<Float> {
    matrix + row * size + column
  }

  /// Does `count` pieces of work, none of which touches what another writes.
  private func spread(_ count: Int, _ work: @escaping (Int) -> Void) {
    nonisolated(unsafe) let work = work
    Workers.spread(count, threads: threads) { work($0) }
  }
}
