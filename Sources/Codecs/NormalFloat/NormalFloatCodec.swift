import ByteIO
import Tensors

/// The 4-bit types of bitsandbytes: codes into a table of sixteen values, one scale (absmax) for each block of the
/// flattened tensor, whose blocks run on across rows. `nf4:block=64`, `fp4:block=64`, and with scales that are bytes
/// into a map `nf4:block=64,second=256` ("double quantization"). specs/codecs/normalfloat.md.
public struct NormalFloatCodec: TensorStatisticCodec, Hashable {
  public let table: Table4
  /// Elements a block: a power of two from 32 to 4096.
  public let block: Int
  /// Blocks that share a second-level scale, or nil where scales are F32.
  public let second: Int?

  /// Values in the map of byte scales.
  static let mapSize = 256

  /// Throws `CodecError.descriptor` on a block that isn't a power of two from 32 to 4096, or a `second` out of 1 to
  /// 65536.
  public init(_ table: Table4, block: Int = 64, second: Int? = nil) throws(CodecError) {
    self.table = table
    self.block = block
    self.second = second
    guard (32...4096).contains(block), block & (block - 1) == 0 else {
      throw .descriptor("\(descriptor)", reason: "block should be a power of two from 32 to 4096")
    }
    if let second, !(1...65536).contains(second) {
      throw .descriptor("\(descriptor)", reason: "second should be from 1 to 65536")
    }
  }

  init(_ reader: inout DescriptorReader, table: Table4) throws(CodecError) {
    let block = try reader.integer("block", default: 64, in: 32...4096)
    let second = try reader.integer("second", default: 0, in: 0...65536)
    try self.init(table, block: block, second: second == 0 ? nil : second)
  }

  public var descriptor: CodecDescriptor {
    var descriptor = CodecDescriptor(table.rawValue, ["block": "\(block)"])
    if let second { descriptor.parameters.append(.init(key: "second", value: "\(second)")) }
    return descriptor
  }

  public var planes: [Plane] {
    let plain = [Plane(.codes), Plane(.scales)]
    return second == nil ? plain : plain + [Plane(.secondLevel), Plane(.table, .whole)]
  }

  public func alignment(columns: Int) -> Int { block * (second ?? 1) }

  public func check(_ shape: Shape) throws(CodecError) { try checkCountable(shape) }

  public func bytes(plane: Int, elements: Int, columns: Int) -> Int {
    let blocks = elements.dividedRoundingUp(by: block)
    switch planes[plane].role {
    case .codes: return elements.dividedRoundingUp(by: 2)
    case .scales: return second == nil ? blocks * 4 : blocks
    case .secondLevel: return blocks.dividedRoundingUp(by: second ?? 1) * 4
    default: return (Self.mapSize + 1) * 4
    }
  }

  /// The elements of a block.
  func elements(ofBlock index: Int, of count: Int) -> Range<Int> {
    index * block..<min((index + 1) * block, count)
  }
}
