import ByteIO

/// The dimensions of a tensor, outermost first: rows before columns. A scalar has none.
public struct Shape: Sendable, Hashable, CustomStringConvertible {
  public let dimensions: [Int]
  /// The product of the dimensions: 1 for a scalar.
  public let elements: Int

  /// Nil if a dimension is negative or the product, taken left to right as safetensors takes it, overflows.
  public init?(_ dimensions: [Int]) {
    var product = 1
    for dimension in dimensions {
      guard dimension >= 0, let next = product.multiplied(by: dimension) else { return nil }
      product = next
    }
    self.dimensions = dimensions
    self.elements = product
  }

  private init() {
    dimensions = []
    elements = 1
  }

  /// The shape without dimensions.
  public static let scalar = Shape()

  public var rank: Int { dimensions.count }

  /// Length of a row: the innermost dimension, 1 for a scalar.
  public var columns: Int { dimensions.last ?? 1 }

  /// Number of rows: the product of all dimensions but the innermost.
  public var rows: Int { columns == 0 ? 0 : elements / columns }

  public var description: String {
    "[" + dimensions.map(String.init).joined(separator: ", ") + "]"
  }
}
