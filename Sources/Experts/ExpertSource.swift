/// The three matrices of an expert: hidden = act(gate x) * (up x), output = down hidden.
public enum ExpertMatrix: String, Sendable, CaseIterable, Codable {
  /// Hidden neurons x model width.
  case gate
  /// Hidden neurons x model width.
  case up
  /// Model width x hidden neurons.
  case down

  /// True if a hidden neuron is a row of the matrix, false if it is a column.
  public var neuronsAreRows: Bool { self != .down }
}

/// The experts of a model, whatever file they lie in. All experts of a layer have the same shapes.
public protocol ExpertSource: Sendable {
  var layerCount: Int { get }
  /// Experts of a layer.
  func expertCount(layer: Int) -> Int
  /// Hidden neurons of an expert of a layer.
  func hiddenNeurons(layer: Int) -> Int
  /// Length of the vectors that the layer's experts take and give.
  func width(layer: Int) -> Int
  /// Fills `output` with rows of a matrix in F32, row after row. Thread-safe.
  func read(
    layer: Int, expert: Int, matrix: ExpertMatrix, rows: Range<Int>,
    into output: UnsafeMutableBufferPointer<Float>
  ) throws
}

extension ExpertSource {
  public func rows(layer: Int, matrix: ExpertMatrix) -> Int {
    matrix.neuronsAreRows ? hiddenNeurons(layer: layer) : width(layer: layer)
  }

  public func columns(layer: Int, matrix: ExpertMatrix) -> Int {
    matrix.neuronsAreRows ? width(layer: layer) : hiddenNeurons(layer: layer)
  }

  /// A whole matrix. Throws `ExpertError.notFinite` where it holds NaN or infinity.
  public func matrix(layer: Int, expert: Int, matrix: ExpertMatrix) throws -> [Float] {
    let rows = rows(layer: layer, matrix: matrix)
    let count = rows * columns(layer: layer, matrix: matrix)
    let values = try [Float](unsafeUninitializedCapacity: count) { buffer, filled in
      try read(layer: layer, expert: expert, matrix: matrix, rows: 0..<rows, into: buffer)
      filled = count
    }
    guard values.allSatisfy(\.isFinite) else {
      throw ExpertError.notFinite(layer: layer, expert: expert, matrix: matrix)
    }
    return values
  }
}

/// What stops the work on experts.
public enum ExpertError: Error, Equatable, CustomStringConvertible {
  /// A matrix holds NaN or infinity: there is no mean and no distance.
  case notFinite(layer: Int, expert: Int, matrix: ExpertMatrix)
  /// A Hessian has another size than its matrix has columns.
  case hessianSize(layer: Int, expert: Int, matrix: ExpertMatrix, expected: Int, found: Int)
  /// A Hessian is not positive definite, even damped.
  case hessianIndefinite(size: Int, pivot: Int)
  /// An expert that the layer hasn't got.
  case noSuchExpert(layer: Int, expert: Int)
  /// A layer would be left with fewer experts than the router picks.
  case tooFewExperts(layer: Int, kept: Int, needed: Int)
  /// Router counts of another number than experts.
  case routerCounts(layer: Int, expected: Int, found: Int)

  public var description: String {
    switch self {
    case .notFinite(let layer, let expert, let matrix):
      "layer \(layer), expert \(expert): its \(matrix.rawValue) matrix holds NaN or infinity"
    case .hessianSize(let layer, let expert, let matrix, let expected, let found):
      "layer \(layer), expert \(expert): the Hessian of \(matrix.rawValue) should have \(expected) x \(expected) values, not \(found)"
    case .hessianIndefinite(let size, let pivot):
      "a Hessian of size \(size) is not positive definite at pivot \(pivot), even damped"
    case .noSuchExpert(let layer, let expert): "layer \(layer) has no expert \(expert)"
    case .tooFewExperts(let layer, let kept, let needed):
      "layer \(layer) would keep \(kept) experts where the router picks \(needed)"
    case .routerCounts(let layer, let expected, let found):
      "layer \(layer) has \(expected) experts, but \(found) router counts are given"
    }
  }
}
