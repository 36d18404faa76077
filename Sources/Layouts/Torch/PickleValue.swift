import ByteIO
import Tensors

/// What a pickle of plain tensors describes.
public indirect enum PickleValue: Sendable {
  case none
  case bool(Bool)
  case integer(Int)
  case real(Double)
  case string(String)
  case list([PickleValue])
  case tuple([PickleValue])
  case dictionary([(key: PickleValue, value: PickleValue)])
  case tensor(TorchTensor)
  /// Coordinates, and the values at them.
  case sparse(indices: TorchTensor, values: TorchTensor, shape: [Int])
  /// A name that means one of the few things that are known.
  case global(String)
  case storage(dtype: DType, key: String)

  /// A member of a dictionary with this key.
  public subscript(key: String) -> PickleValue? {
    guard case .dictionary(let members) = self else { return nil }
    return members.last { if case .string(key) = $0.key { true } else { false } }?.value
  }

  public var integer: Int? { if case .integer(let value) = self { value } else { nil } }
  public var tensor: TorchTensor? { if case .tensor(let tensor) = self { tensor } else { nil } }

  /// The items of a list or a tuple.
  public var items: [PickleValue]? {
    switch self {
    case .list(let items), .tuple(let items): items
    default: nil
    }
  }
}

/// A view of a storage: `offset` and strides count elements.
public struct TorchTensor: Sendable {
  public var dtype: DType
  /// Name of the storage's entry.
  public var key: String
  public var offset: Int
  public var shape: [Int]
  public var strides: [Int]

  /// Elements; nil where they can't be counted.
  public var count: Int? {
    shape.reduce(Optional(1)) { total, side in side < 0 ? nil : total?.multiplied(by: side) }
  }

  /// True if the elements lie one after another, the last dimension fastest.
  var isContiguous: Bool {
    guard shape.count == strides.count, let count else { return false }
    guard count > 0 else { return true }
    var expected = 1
    for (side, stride) in zip(shape, strides).reversed() {
      guard side == 1 || stride == expected else { return false }
      expected *= side
    }
    return true
  }
}
