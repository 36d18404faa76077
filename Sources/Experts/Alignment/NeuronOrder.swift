/// Applies an order of hidden neurons to a matrix.
public enum NeuronOrder {
  /// The matrix with place `i` taken by neuron `order[i]`: rows of gate and up, columns of down.
  public static func permuted(
    _ values: [Float], matrix: ExpertMatrix, rows: Int, columns: Int, by order: [Int]
  ) -> [Float] {
    if matrix.neuronsAreRows {
      return order.flatMap { values[$0 * columns..<($0 + 1) * columns] }
    }
    return (0..<rows).flatMap { row in order.map { values[row * columns + $0] } }
  }

  /// The same for a Hessian of the down projection, whose inputs are the hidden neurons.
  public static func permuted(hessian: [Float], size: Int, by order: [Int]) -> [Float] {
    order.flatMap { row in order.map { hessian[row * size + $0] } }
  }

  /// The order that undoes another.
  public static func inverse(_ order: [Int]) -> [Int] {
    var result = [Int](repeating: 0, count: order.count)
    for (place, neuron) in order.enumerated() { result[neuron] = place }
    return result
  }
}
