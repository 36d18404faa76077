/// A conversion of elements that can't be made.
public enum ElementError: Error, Equatable, CustomStringConvertible {
  /// The elements don't fill `bytes` exactly, or their count is negative or ends within a byte.
  case size(DType, elements: Int, bytes: Int)
  /// Complex numbers convert to nothing but themselves.
  case unsupported(from: DType, to: DType)

  public var description: String {
    switch self {
    case .size(let dtype, let elements, let bytes):
      "\(elements) elements of \(dtype.rawValue) don't take \(bytes) bytes"
    case .unsupported(let source, let target): "\(source.rawValue) has no conversion to \(target.rawValue)"
    }
  }
}
