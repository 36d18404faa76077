import ByteIO
import Codecs

/// A GGUF file, or a set of them, that can't be read or can't be written.
public typealias GGUFError = Fault<GGUFReason>

/// What can be wrong: one case a row of the error tables of specs/gguf.md.
public enum GGUFReason: FaultReason {
  // The header.
  /// The file ends inside a field.
  case truncated(field: String, needs: Int, left: Int)
  case magic([UInt8])
  case version(UInt32)
  case negativeCount(field: String, Int64)
  /// More entries than a reader accepts.
  case tooMany(field: String, count: Int, limit: Int)
  /// More entries, elements or bytes than the rest of the file can hold.
  case beyondFile(field: String, count: UInt64, left: Int)
  case headerTooLong(limit: Int)

  // Key-value pairs.
  case emptyKey
  case keyTooLong(bytes: UInt64)
  case keyNotUTF8
  case duplicateKey(String)
  case valueType(key: String, UInt32)
  case arrayTooLong(key: String, count: UInt64)
  case arrayTooDeep(key: String)
  case tooManyArrays(key: String)
  case alignmentType(GGUFValueType)
  case alignment(UInt32)

  // Tensors.
  case nameTooLong(bytes: UInt64)
  case nameNotUTF8
  case duplicateTensor
  case tooManyDimensions(UInt32)
  case negativeDimension(index: Int, Int64)
  case shapeOverflow(ne: [Int])
  case removedType(Int32)
  case unknownType(Int32)
  case partialBlock(type: GGMLType, row: Int)
  case sizeOverflow(type: GGMLType, ne: [Int])
  /// The file would be longer than 2^63 - 1 bytes.
  case totalOverflow
  case offset(expected: Int, found: UInt64)
  /// The tensor's bytes end past the end of the file.
  case dataBeyondFile(end: Int, size: Int)

  // Splits.
  case shardName(expected: String)
  case shardKey(key: String)
  case shardCount(expected: Int, found: Int)
  case shardNumber(expected: Int, found: Int)
  case shardMissing(number: Int, count: Int)
  case shardTensorCount(expected: Int, found: Int)
  case shardDuplicateTensor(firstIn: String)
  case shardConflict(key: String)

  // Writing.
  /// llama.cpp reads no arrays of arrays.
  case nestedArray(key: String)
  case splitLimit(Int)

  public var description: String { explanation }
}
