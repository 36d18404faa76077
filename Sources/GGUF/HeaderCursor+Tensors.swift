import ByteIO
import Codecs
import Tensors

/// Tensor infos.
extension HeaderCursor {
  /// The next tensor info, whose data must come where `placement` puts it.
  mutating func tensorInfo(_ placement: inout Placement) throws -> GGUFTensorInfo {
    let start = position
    let name = try tensorName()
    tensor = name
    defer { tensor = nil }
    let ne = try dimensions()
    guard let shape = Shape(ne.reversed()) else { throw fail(.shapeOverflow(ne: ne), at: start) }
    let info = GGUFTensorInfo(name: name, type: try tensorType(), shape: shape)
    let expected = placement.end
    do { try placement.append(info) } catch { throw fail(error.reason, at: start) }
    let fieldOffset = position
    let found: UInt64 = try integer("the offset of a tensor")
    guard found == expected else {
      throw fail(.offset(expected: expected, found: found), at: fieldOffset)
    }
    return info
  }

  private mutating func tensorName() throws -> String {
    let start = position
    let length: UInt64 = try integer("the length of a tensor's name")
    guard length <= GGUFLimits.nameBytes else { throw fail(.nameTooLong(bytes: length), at: start) }
    let bytes = try bytes(Int(length), "a tensor's name")
    guard let name = String(validating: bytes, as: UTF8.self) else { throw fail(.nameNotUTF8, at: start) }
    return name
  }

  private mutating func dimensions() throws -> [Int] {
    let start = position
    let count: UInt32 = try integer("the number of dimensions")
    guard count <= GGUFLimits.dimensions else { throw fail(.tooManyDimensions(count), at: start) }
    var ne: [Int] = []
    for index in 0..<Int(count) {
      let fieldOffset = position
      let dimension: Int64 = try integer("a dimension")
      guard dimension >= 0 else {
        throw fail(.negativeDimension(index: index, dimension), at: fieldOffset)
      }
      ne.append(Int(dimension))
    }
    return ne
  }

  private mutating func tensorType() throws -> GGMLType {
    let start = position
    let id: Int32 = try integer("the type of a tensor")
    if let type = GGMLType(rawValue: id) { return type }
    let reason: GGUFReason = GGMLType.removed.contains(id) ? .removedType(id) : .unknownType(id)
    throw fail(reason, at: start)
  }
}

extension GGMLType {
  /// Ids that ggml has withdrawn: Q4_2, Q4_3, and the repacked variants of Q4_0 and IQ4_NL.
  static let removed: Set<Int32> = [4, 5, 31, 32, 33, 36, 37, 38]
}
