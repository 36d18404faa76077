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
    var others = [Float](repeating: 0, count: columns)
    var otherWeights = others
    for row in 0..<rows {
      let group = UnsafeMutableBufferPointer(start: values + row * columns, count: columns)
      let all = error(UnsafeBufferPointer(group), UnsafeBufferPointer(start: weights, count: columns))
      guard all > threshold else { continue }
      var likely = [Bool](repeating: false, count: columns)
      for left in 0..<columns {
        for index in 0..<columns - 1 {
          others[index] = group[index < left ? index : index + 1]
          otherWeights[index] = weights[index < left ? index : index + 1]
        }
        let rest = others.withUnsafeBufferPointer { others in
          otherWeights.withUnsafeBufferPointer {
            error(UnsafeBufferPointer(rebasing: others.dropLast()), UnsafeBufferPointer(rebasing: $0.dropLast()))
          }
        }
        likely[left] = all - rest > threshold
      }
      replace(group, where: likely)
    }
  }

  /// The weighted squared error of a group in its range.
  private mutating func error(_ values: UnsafeBufferPointer<Float>, _ weights: UnsafeBufferPointer<Float>) -> Float {
    guard let low = values.min(), let high = values.max() else { return 0 }
    let fit = BilevelCodec.range(low, high, levels: grid.highest)
    return bale_grid_error(&grid, values.baseAddress, weights.baseAddress, values.count, fit.scale, fit.zero)
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
