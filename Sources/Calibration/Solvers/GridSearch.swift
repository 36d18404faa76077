import CKernels
import Codecs

/// A scale and a zero, and the weighted squared error they leave.
struct GridFit {
  var scale: Float
  var zero: Float
  var error: Float
}

/// The best of the scales and zeros that were tried on one row of a group.
struct GridSearch {
  private var grid: bale_grid
  private let values: TileValues
  private(set) var best = GridFit(scale: 0, zero: 0, error: .infinity)

  init(_ grid: bale_grid, _ values: TileValues) {
    self.grid = grid
    self.values = values
  }

  mutating func attempt(scale: Float, zero: Float) {
    guard scale != 0, scale.isFinite, zero.isFinite else { return }
    let error = bale_grid_error(&grid, values.values, values.weights, values.columns, scale, zero)
    // The first attempt counts even where squares overflow.
    if error < best.error || best.scale == 0 { best = GridFit(scale: scale, zero: zero, error: error) }
  }

  /// Solves for the scale given the codes, stores it by `stored`, and again while the error falls.
  mutating func refineScale(rounds: Int, stored: (Float) -> Float) {
    for _ in 0..<rounds {
      let before = best.error
      var moments: (Float, Float, Float, Float) = (0, 0, 0, 0)
      withUnsafeMutableBytes(of: &moments) { moments in
        bale_affine_moments(
          &grid, values.values, values.weights, values.columns, best.scale, best.zero,
          moments.assumingMemoryBound(to: Float.self).baseAddress)
      }
      guard moments.0 > 0 else { return }
      attempt(scale: stored(moments.1 / moments.0), zero: best.zero)
      guard best.error < before else { return }
    }
  }
}
