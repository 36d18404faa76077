import Codecs
import Tensors

/// Name, type and shape of a tensor: what a plan needs.
public struct GGUFTensorInfo: Sendable, Hashable {
  public var name: String
  public var type: GGMLType
  /// Outermost dimension first, as safetensors has it; a file holds the reverse, `ne`.
  public var shape: Shape

  public init(name: String, type: GGMLType, shape: Shape) {
    self.name = name
    self.type = type
    self.shape = shape
  }

  /// Dimensions innermost first: `ne` of ggml.
  public var ne: [Int] { shape.dimensions.reversed() }

  /// Bytes of the data, without padding. Throws what keeps the tensor out of a file.
  func bytes() throws(Failure) -> Int {
    guard name.utf8.count <= GGUFLimits.nameBytes else {
      throw failure(.nameTooLong(bytes: UInt64(name.utf8.count)))
    }
    guard shape.rank <= GGUFLimits.dimensions else { throw failure(.tooManyDimensions(UInt32(clamping: shape.rank))) }
    // llama.cpp multiplies from the inside, Shape from the outside: a zero must not hide an overflow from either.
    guard shape.dimensions.reduce(1 as Int?, { $0?.multiplied(by: max($1, 1)) }) != nil else {
      throw failure(.shapeOverflow(ne: ne))
    }
    guard shape.columns % type.blockElements == 0 else {
      throw failure(.partialBlock(type: type, row: shape.columns))
    }
    guard let bytes = type.bytes(elements: shape.elements) else { throw failure(.sizeOverflow(type: type, ne: ne)) }
    return bytes
  }

  func failure(_ reason: GGUFReason) -> Failure { Failure(reason, tensor: name) }
}

/// A tensor of a file: what it is and where its bytes lie.
public struct GGUFTensor: Sendable, Hashable {
  public let info: GGUFTensorInfo
  /// The bytes of the data, counted from the start of the file.
  public let range: Range<Int>

  public var name: String { info.name }
  public var type: GGMLType { info.type }
  public var shape: Shape { info.shape }
}

/// A reason on its way to where the file and the offset are known.
struct Failure: Error {
  var reason: GGUFReason
  var tensor: String?

  init(_ reason: GGUFReason, tensor: String? = nil) {
    self.reason = reason
    self.tensor = tensor
  }
}
