import JSON
import Tensors

/// A tensor of a safetensors file.
public struct SafetensorsTensor: Sendable, Hashable {
  public var name: String
  public var dtype: DType
  public var shape: Shape
  /// Where its bytes lie in the file, counted from the start of the file.
  public var bytes: Range<Int>

  public init(name: String, dtype: DType, shape: Shape, bytes: Range<Int>) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.bytes = bytes
  }
}

/// One entry of `__metadata__`.
public struct SafetensorsMetadataEntry: Sendable, Hashable {
  public var key: String
  public var value: String

  public init(_ key: String, _ value: String) {
    self.key = key
    self.value = value
  }
}

/// What the header of a safetensors file says, checked against the size of the file: the tensors cover everything
/// after the header exactly once.
public struct SafetensorsHeader: Sendable {
  /// The length and the JSON with its padding: the first bytes of the file, up to its tensors' data.
  public let headerRange: Range<Int>
  /// `__metadata__` in its order; nil if it is absent or null.
  public let metadata: [SafetensorsMetadataEntry]?
  /// The tensors in the order of the header.
  public let tensors: [SafetensorsTensor]
  /// Indices into `tensors` in the order of their data in the file.
  public let dataOrder: [Int]
  private let positions: NameTable

  init(
    headerRange: Range<Int>, metadata: [SafetensorsMetadataEntry]?, tensors: [SafetensorsTensor], dataOrder: [Int],
    positions: NameTable
  ) {
    self.headerRange = headerRange
    self.metadata = metadata
    self.tensors = tensors
    self.dataOrder = dataOrder
    self.positions = positions
  }

  /// The size of the whole file.
  public var fileSize: Int { dataOrder.last.map { tensors[$0].bytes.upperBound } ?? headerRange.upperBound }

  /// The tensor of that name, compared by its bytes.
  public subscript(name: String) -> SafetensorsTensor? { positions[name].map { tensors[$0] } }
}

/// Positions by name, compared by bytes.
struct NameTable: Sendable {
  private var positions: [ExactString: Int] = [:]

  init(capacity: Int = 0) { positions.reserveCapacity(capacity) }

  subscript(name: String) -> Int? { positions[ExactString(name)] }

  /// Notes a name at `position`, unless it is known: then gives the position it is known at.
  mutating func insert(_ name: String, at position: Int) -> Int? {
    let key = ExactString(name)
    if let known = positions[key] { return known }
    positions[key] = position
    return nil
  }
}
