import ByteIO

/// A tensor of a model: an initializer, or what a `Constant` node puts out.
public struct ONNXTensor: Sendable {
  public var name: String
  public var type: ONNXType
  public var dimensions: [Int]
  /// The product of the dimensions.
  public var elements: Int
  public var content: Content

  public enum Content: Sendable, Hashable {
    /// Its bytes, one after the other, in one of the model's files: element 0 first, little-endian, elements of 4 and 2
    /// bits from the lowest bits up.
    case stored(file: Int, Range<Int>)
    /// Numbers as variable-length integers in these runs of the model's own file.
    case numbers([Range<Int>])
  }

  /// Bytes that the elements take.
  public var byteCount: Int { (elements * type.bits).dividedRoundingUp(by: 8) }
}

/// An operation of the graph.
public struct ONNXNode: Sendable {
  public var type: String
  /// Empty for the standard operators.
  public var domain: String
  /// Names; empty for one that is left out.
  public var inputs: [String]
  public var outputs: [String]
  /// The attributes that are integers.
  public var integers: [String: Int]

  /// The name of an input; nil if there is none.
  public func input(_ index: Int) -> String? {
    index < inputs.count && !inputs[index].isEmpty ? inputs[index] : nil
  }
}
