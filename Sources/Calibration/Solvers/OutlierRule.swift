import CKernels
import Codecs

/// Which weights SpQR keeps apart (Dettmers et al. 2023, algorithm 1): those whose error, divided by the diagonal of
/// the inverse Hessian's factor and squared, exceeds a threshold.
public struct OutlierRule: Sendable, Equatable {
  /// The threshold, relative to the mean over columns of the weights' variance divided by the square of that diagonal.
  public var threshold: Float
  /// Whether weights that look like outliers are kept out of the fit of their group: those without which the other
  /// weights of the group would lose more than the threshold of their error.
  public var leavesOut: Bool

  public init(threshold: Float, leavesOut: Bool = true) {
    self.threshold = threshold
    self.leavesOut = leavesOut
  }

  /// The threshold for codes of that many bits: 0.2, which SpQR's authors recommend, for 3 and 4; the squared errors of
  /// 2 bits are four times as large, and so is theirs.
  public static func usualThreshold(bits: Int) -> Float { bits == 2 ? 0.8 : 0.2 }

  /// The threshold for weights of `rows` rows, row-major in the natural order of columns.
  func absolute(_ weights: [Float], rows: Int, prepared: PreparedHessian) -> Float {
    let columns = prepared.diagonal.count
    guard rows > 1, columns > 0 else { return .infinity }
    var sums = [Double](repeating: 0, count: columns)
    var squares = sums
    for row in 0..<rows {
      for column in 0..<columns {
        let weight = Double(weights[row * columns + column])
        sums[column] += weight
        squares[column] += weight * weight
      }
    }
    var total = 0.0
    for (place, column) in prepared.schedule.columns.enumerated() {
      let variance = (squares[column] - sums[column] * sums[column] / Double(rows)) / Double(rows - 1)
      total += max(variance, 0) / Double(prepared.diagonal[place] * prepared.diagonal[place])
    }
    return threshold * Float(total / Double(columns))
  }
}

/// Finds the weights of a group that should not take part in its fit.
struct LeaveOneOut {
  private var grid: bale_grid
  private let threshold: Float

  init(bits: Int, threshold: Float) {
    grid = bale_grid()
    grid.kind = BALE_GRID_AFFINE
    grid.highest = Float((1 << bits) - 1)
    self.threshold = threshold
  }

  /// Replaces the likely outliers of each row by the mean of the row's others, in place. `weights` are those of the
  /// columns' squared errors.
  mutating func replaceOutliers(
    _ values: UnsafeMutablePointer<Float>, rows: Int, columns: Int, weights: UnsafePointer<Float>
  ) {
    var errors = [Float](repeating: 0, count: columns)
    var likely = [Bool](repeating: false, count: columns)
    for row in 0..<rows {
      let group = UnsafeMutableBufferPointer(start: values + row * columns, count: columns)
      let all = error(group, weights, each: &errors)
      guard all > threshold else { continue }
      // Without a weight inside the range the others keep their fit, and all that changes is its own error.
      for index in errors.indices { likely[index] = errors[index] > threshold }
      for index in Self.ends(group) {
        likely[index] = all - error(group, weights, without: index) > threshold
      }
      replace(group, where: likely)
    }
  }

  /// The places of the smallest and the largest value, each if there is only one of it.
  private static func ends(_ group: UnsafeMutableBufferPointer<Float>) -> [Int] {
    [group.min(), group.max()].compactMap { end in
      guard let first = group.firstIndex(where: { $0 == end }), group.lastIndex(where: { $0 == end }) == first
      else { return nil }
      return first
    }
  }

  /// The weighted squared error of a group in its range, and that of each value.
  private mutating func error(
    _ values: UnsafeMutableBufferPointer<Float>, _ weights: UnsafePointer<Float>, each errors: inout [Float]
  ) -> Float {
    guard let low = values.min(), let high = values.max() else { return 0 }
    let fit = BilevelCodec.range(low, high, levels: grid.highest)
    bale_grid_errors(&grid, values.baseAddress, weights, values.count, fit.scale, fit.zero, &errors)
    return errors.reduce(0, +)
  }

  /// The error of a group's other values in their range.
  private mutating func error(
    _ values: UnsafeMutableBufferPointer<Float>, _ weights: UnsafePointer<Float>, without left: Int
  ) -> Float {
    let count = values.count - 1
    return withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * count) { room in
      for index in 0..<count {
        let place = index < left ? index : index + 1
        room.initializeElement(at: index, to: values[place])
        room.initializeElement(at: count + index, to: weights[place])
      }
      let others = room.prefix(count)
      guard let base = room.baseAddress, let low = others.min(), let high = others.max() else { return 0 }
      let fit = BilevelCodec.range(low, high, levels: grid.highest)
      return bale_grid_error(&grid, base, base + count, count, fit.scale, fit.zero)
    }
  }

  private func replace(_ group: UnsafeMutableBufferPointer<Float>, where likely: [Bool]) {
    var sum: Float = 0
    var count: Float = 0
    for (index, value) in group.enumerated() where !likely[index] {
      sum += value
      count += 1
    }
    let mean = sum / max(count, 1)
    for index in group.indices where likely[index] { group[index] = mean }
  }
}
