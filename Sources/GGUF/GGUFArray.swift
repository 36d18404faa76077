import ByteIO

/// An array of a GGUF file, its elements contiguous and in their own type.
public enum GGUFArray: Sendable {
  case uint8([UInt8])
  case int8([Int8])
  case uint16([UInt16])
  case int16([Int16])
  case uint32([UInt32])
  case int32([Int32])
  case float32([Float])
  case bool([Bool])
  case string(GGUFStrings)
  /// An array of arrays; each has an element type of its own.
  case array([GGUFArray])
  case uint64([UInt64])
  case int64([Int64])
  case float64([Double])

  public var elementType: GGUFValueType {
    switch self {
    case .uint8: .uint8
    case .int8: .int8
    case .uint16: .uint16
    case .int16: .int16
    case .uint32: .uint32
    case .int32: .int32
    case .float32: .float32
    case .bool: .bool
    case .string: .string
    case .array: .array
    case .uint64: .uint64
    case .int64: .int64
    case .float64: .float64
    }
  }

  public var count: Int {
    switch self {
    case .uint8(let values): values.count
    case .int8(let values): values.count
    case .uint16(let values): values.count
    case .int16(let values): values.count
    case .uint32(let values): values.count
    case .int32(let values): values.count
    case .float32(let values): values.count
    case .bool(let values): values.count
    case .string(let values): values.count
    case .array(let values): values.count
    case .uint64(let values): values.count
    case .int64(let values): values.count
    case .float64(let values): values.count
    }
  }

  /// The elements as Int, if the array is of an integer type and all of them fit.
  public var integers: [Int]? {
    switch self {
    case .uint8(let values): values.map(Int.init)
    case .int8(let values): values.map(Int.init)
    case .uint16(let values): values.map(Int.init)
    case .int16(let values): values.map(Int.init)
    case .uint32(let values): values.map(Int.init)
    case .int32(let values): values.map(Int.init)
    case .uint64(let values): Self.exactly(values)
    case .int64(let values): values.map(Int.init)
    case .float32, .float64, .bool, .string, .array: nil
    }
  }

  /// The elements as Double, if the array is of a float type. The conversion is exact.
  public var floats: [Double]? {
    switch self {
    case .float32(let values): values.map(Double.init)
    case .float64(let values): values
    default: nil
    }
  }

  private static func exactly(_ values: [UInt64]) -> [Int]? {
    let integers = values.compactMap { Int(exactly: $0) }
    return integers.count == values.count ? integers : nil
  }

  /// Levels of arrays: 1 for an array of anything but arrays.
  var depth: Int {
    var deepest = 1
    var pending: [(array: GGUFArray, depth: Int)] = [(self, 1)]
    while let (array, depth) = pending.popLast() {
      deepest = Swift.max(deepest, depth)
      if case .array(let inner) = array { pending += inner.map { ($0, depth + 1) } }
    }
    return deepest
  }
}
