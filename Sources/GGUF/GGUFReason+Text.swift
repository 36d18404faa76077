import ByteIO

extension GGUFReason {
  /// The sentence that a person reads: what was expected and what was found.
  var explanation: String {
    headerText ?? metadataText ?? tensorText ?? splitText ?? "unreadable"
  }

  private var headerText: String? {
    switch self {
    case .truncated(let field, let needs, let left):
      "the file ends inside \(field): \(needs) bytes needed, \(left) left"
    case .magic(let bytes): "not a GGUF file: it starts with \(hexadecimal(bytes)), not 47475546"
    case .version(let version): "version \(version) of GGUF: only 2 and 3 are read"
    case .negativeCount(let field, let count): "\(field) is \(count)"
    case .tooMany(let field, let count, let limit): "\(field) is \(count), more than \(limit)"
    case .beyondFile(let field, let count, let left):
      "\(field) is \(count), but only \(left) bytes are left in the file"
    case .headerTooLong(let limit): "the header is longer than \(limit) bytes"
    default: nil
    }
  }

  private var metadataText: String? {
    switch self {
    case .emptyKey: "a key is empty"
    case .keyTooLong(let bytes): "a key has \(bytes) bytes, more than \(GGUFLimits.keyBytes)"
    case .keyNotUTF8: "a key is not UTF-8"
    case .duplicateKey(let key): "the key '\(key)' occurs twice"
    case .valueType(let key, let id): "the value of '\(key)' has the unknown type \(id)"
    case .arrayTooLong(let key, let count):
      "the array '\(key)' has \(count) elements, more than \(GGUFLimits.arrayElements)"
    case .arrayTooDeep(let key): "the array '\(key)' has more than \(GGUFLimits.arrayDepth) levels"
    case .tooManyArrays(let key): "the array '\(key)' holds more than \(GGUFLimits.nestedArrays) arrays"
    case .alignmentType(let type): "'\(GGUFKey.alignment)' is of type \(type), not uint32"
    case .alignment(let value): "'\(GGUFKey.alignment)' is \(value), not a power of two"
    case .nestedArray(let key): "'\(key)' is an array of arrays, which llama.cpp doesn't read"
    default: nil
    }
  }

  private var tensorText: String? {
    switch self {
    case .nameTooLong(let bytes): "a tensor's name has \(bytes) bytes, more than \(GGUFLimits.nameBytes)"
    case .nameNotUTF8: "a tensor's name is not UTF-8"
    case .duplicateTensor: "the name occurs twice"
    case .tooManyDimensions(let count): "\(count) dimensions, more than \(GGUFLimits.dimensions)"
    case .negativeDimension(let index, let value): "dimension \(index) is \(value)"
    case .shapeOverflow(let ne): "the number of elements of \(ne) overflows"
    case .removedType(let id): "type \(id) has been removed from ggml"
    case .unknownType(let id): "unknown tensor type \(id)"
    case .partialBlock(let type, let row):
      "a row of \(row) elements is not a multiple of the \(type.blockElements) of a \(type.name) block"
    case .sizeOverflow(let type, let ne): "the size of \(ne) in \(type.name) overflows"
    case .totalOverflow: "the tensors together are larger than a file can be"
    case .offset(let expected, let found): "the data is at offset \(found), it should be at \(expected)"
    case .dataBeyondFile(let end, let size): "the data ends at byte \(end) of a file of \(size)"
    default: nil
    }
  }

  private var splitText: String? {
    switch self {
    case .shardName(let expected): "a shard of a split model should be named \(expected)"
    case .shardKey(let key): "the shard has no '\(key)' that is a count"
    case .shardCount(let expected, let found): "'\(GGUFKey.splitCount)' is \(found), it should be \(expected)"
    case .shardNumber(let expected, let found): "'\(GGUFKey.splitNumber)' is \(found), it should be \(expected)"
    case .shardMissing(let number, let count): "shard \(number) of \(count) is missing"
    case .shardTensorCount(let expected, let found): "the shards have \(found) tensors, it should be \(expected)"
    case .shardDuplicateTensor(let first): "the tensor is also in \(first)"
    case .shardConflict(let key): "the key '\(key)' has another value than in the first shard"
    case .splitLimit(let limit): "a shard can't be limited to \(limit)"
    default: nil
    }
  }
}
