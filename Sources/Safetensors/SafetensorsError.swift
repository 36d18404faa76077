import ByteIO
import JSON
import Tensors

/// A fault of a safetensors file: the file, the tensor and the offset where known, and the reason.
public typealias SafetensorsError = Fault<SafetensorsReason>

/// What is wrong with a safetensors file, in the order in which the checks are made: a case for each row of the error
/// table in specs/safetensors.md. The first ten are those of the Rust library 0.8.0, under its names.
public enum SafetensorsReason: FaultReason {
  /// The file is shorter than the eight bytes of the header's length.
  case headerTooSmall(fileSize: Int)
  /// The header's length is above `SafetensorsLimits.header`; on writing, the length of names and metadata alone where
  /// that is enough to know.
  case headerTooLarge(length: UInt64)
  /// The header would end beyond the end of the file.
  case invalidHeaderLength(length: UInt64, fileSize: Int)
  /// The header is not UTF-8.
  case invalidHeader
  /// The header is not the JSON object it should be.
  case invalidHeaderDeserialization(HeaderProblem)
  /// A tensor does not begin where the one before it ended, or ends before it begins: a hole, an overlap, or reversed
  /// offsets. Offsets count from the end of the header.
  case invalidOffset(expectedBegin: UInt64, begin: UInt64, end: UInt64)
  /// The element count or the bit count of a tensor does not fit 64 bits.
  case validationOverflow(dimensions: [UInt64], dtype: DType)
  /// The elements of a tensor, of 4 or 6 bits each, don't end on a byte.
  case misalignedSlice(dimensions: [UInt64], dtype: DType)
  /// A tensor's offsets span another number of bytes than its dtype and shape take.
  case tensorInvalidInfo(expected: UInt64, found: UInt64)
  /// The file is shorter or longer than its header says.
  case metadataIncompleteBuffer(expected: UInt64, fileSize: Int)
  /// Two tensors have one name.
  case duplicateName
  /// A tensor without elements one of whose dimensions is beyond what `Shape` holds.
  case shapeOutOfRange(dimensions: [UInt64])
  /// A tensor to be written is called `__metadata__`, which is not a tensor's name.
  case reservedName
  /// The bytes handed over for a tensor are not as many as its dtype and shape take.
  case invalidTensorView(expected: Int, found: Int)

  public var description: String {
    switch self {
    case .headerTooSmall(let size):
      "expected at least 8 bytes for the length of the header, found a file of \(size)"
    case .headerTooLarge(let length):
      "the header is \(length) bytes long, more than \(SafetensorsLimits.header)"
    case .invalidHeaderLength(let length, let size):
      "the header is \(length) bytes long, which a file of \(size) bytes can't hold"
    case .invalidHeader: "the header is not UTF-8"
    case .invalidHeaderDeserialization(let problem): "invalid header: \(problem)"
    case .invalidOffset(let expected, let begin, let end):
      end < begin
        ? "the data offsets [\(begin), \(end)] are reversed"
        : "expected the data to begin at \(expected), where the tensor before it ends, found \(begin)"
    case .validationOverflow(let dimensions, let dtype):
      "the size of \(dtype.rawValue) \(dimensions) does not fit 64 bits"
    case .misalignedSlice(let dimensions, let dtype):
      "\(dtype.rawValue) \(dimensions) does not end on a byte"
    case .tensorInvalidInfo(let expected, let found):
      "dtype and shape take \(expected) bytes, the data offsets span \(found)"
    case .metadataIncompleteBuffer(let expected, let size):
      "the header describes a file of \(expected) bytes, found \(size)"
    case .duplicateName: "two tensors have this name"
    case .shapeOutOfRange(let dimensions): "the shape \(dimensions) has a dimension that is too large"
    case .reservedName: "a tensor can't be called __metadata__"
    case .invalidTensorView(let expected, let found):
      "dtype and shape take \(expected) bytes, found \(found)"
    }
  }
}

/// Why a header is not the JSON object it should be.
public enum HeaderProblem: Sendable, Equatable, CustomStringConvertible {
  /// It is not JSON, or a value is of another kind than expected.
  case json(JSONReason)
  /// A field of a tensor, or `__metadata__`, stands twice.
  case duplicateField(String)
  /// A tensor lacks a field.
  case missingField(String)
  /// A dtype that the format doesn't have.
  case unknownDType(String)
  /// A dtype that is neither a string nor an object of one member whose value is null.
  case invalidDType
  /// A dimension or an offset that is no unsigned integer of 64 bits.
  case invalidInteger(String)
  /// An array with another number of elements than expected: `data_offsets`, or a tensor given as an array.
  case wrongCount(of: String, expected: Int)

  public var description: String {
    switch self {
    case .json(let reason): reason.description
    case .duplicateField(let field): "the field '\(field)' stands twice"
    case .missingField(let field): "the field '\(field)' is missing"
    case .unknownDType(let name): "unknown dtype '\(name)'"
    case .invalidDType: "expected the name of a dtype"
    case .invalidInteger(let text): "expected an unsigned integer of 64 bits, found \(text)"
    case .wrongCount(let field, let expected): "expected \(field) to have \(expected) elements"
    }
  }
}
