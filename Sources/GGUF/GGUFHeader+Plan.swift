import ByteIO
import Codecs

/// A GGUF file before its data: the header's bytes and the place of every tensor. Bytes between tensors, and from the
/// last one to `fileSize`, are zeros.
public struct GGUFPlan: Sendable {
  /// The header with its padding: the file up to the tensor data.
  public let header: [UInt8]
  /// The tensors in the order given, each with its range in the file.
  public let tensors: [GGUFTensor]
  public let alignment: Int
  /// Bytes of the whole file, the padding after the last tensor included.
  public let fileSize: Int
}

extension GGUFHeader {
  /// Lays out a little-endian file of version 3: the pairs and the tensors in the order given. Reads and writes
  /// nothing. What comes out is what llama.cpp and gguf-py read.
  /// - Parameters:
  ///   - alignment: sets `general.alignment`: in place, or at the end of `metadata`. Nil: what `metadata` says, or 32.
  ///   - nestedArrays: true permits arrays of arrays, which gguf-py reads and llama.cpp doesn't.
  ///   - path: what errors name the file.
  /// - Throws: `GGUFError` for a key, name, shape, alignment or array that a reader would refuse.
  public static func plan(
    metadata: GGUFMetadata, tensors: [GGUFTensorInfo], alignment: Int? = nil, nestedArrays: Bool = false,
    path: String = "GGUF output"
  ) throws(GGUFError) -> GGUFPlan {
    do {
      try checkCounts(metadata, tensors)
      var metadata = metadata
      if let alignment { metadata.set(alignment: alignment) }
      let alignment = try metadata.alignment()
      let ranges = try Placement(tensors, alignment: alignment)
      let header = try encode(metadata, tensors, ranges, alignment: alignment, nestedArrays: nestedArrays)
      return try GGUFPlan(header: header, tensors: tensors, placement: ranges, alignment: alignment)
    } catch {
      throw GGUFError(error.reason, file: path, tensor: error.tensor)
    }
  }

  private static func encode(
    _ metadata: GGUFMetadata, _ tensors: [GGUFTensorInfo], _ placement: Placement, alignment: Int, nestedArrays: Bool
  ) throws(Failure) -> [UInt8] {
    var bytes = magic
    bytes.append(littleEndian: UInt32(3))
    bytes.append(littleEndian: Int64(tensors.count))
    bytes.append(littleEndian: Int64(metadata.entries.count))
    for entry in metadata.entries { try append(entry, nestedArrays: nestedArrays, to: &bytes) }
    for (tensor, range) in zip(tensors, placement.ranges) { append(tensor, at: range.lowerBound, to: &bytes) }
    guard bytes.count <= GGUFLimits.headerBytes else { throw Failure(.headerTooLong(limit: GGUFLimits.headerBytes)) }
    bytes.pad(to: alignment)
    return bytes
  }

  private static func checkCounts(_ metadata: GGUFMetadata, _ tensors: [GGUFTensorInfo]) throws(Failure) {
    let limit = GGUFLimits.entries
    guard tensors.count <= limit else {
      throw Failure(.tooMany(field: "the number of tensors", count: tensors.count, limit: limit))
    }
    guard metadata.entries.count <= limit else {
      throw Failure(.tooMany(field: "the number of key-value pairs", count: metadata.entries.count, limit: limit))
    }
  }

  private static func append(
    _ entry: GGUFMetadata.Entry, nestedArrays: Bool, to bytes: inout [UInt8]
  ) throws(Failure) {
    let key = entry.key
    guard !key.isEmpty else { throw Failure(.emptyKey) }
    guard key.utf8.count <= GGUFLimits.keyBytes else { throw Failure(.keyTooLong(bytes: UInt64(key.utf8.count))) }
    if case .array(let array) = entry.value { try check(array, key: key, nestedArrays: nestedArrays) }
    bytes.append(ggufString: key.utf8)
    bytes.append(littleEndian: entry.value.type.rawValue)
    entry.value.append(to: &bytes)
  }

  private static func check(_ array: GGUFArray, key: String, nestedArrays: Bool) throws(Failure) {
    guard array.elementType != .array || nestedArrays else { throw Failure(.nestedArray(key: key)) }
    guard array.depth <= GGUFLimits.arrayDepth else { throw Failure(.arrayTooDeep(key: key)) }
    guard array.count <= GGUFLimits.arrayElements else {
      throw Failure(.arrayTooLong(key: key, count: UInt64(array.count)))
    }
  }

  private static func append(_ tensor: GGUFTensorInfo, at offset: Int, to bytes: inout [UInt8]) {
    bytes.append(ggufString: tensor.name.utf8)
    bytes.append(littleEndian: UInt32(tensor.shape.rank))
    for dimension in tensor.ne { bytes.append(littleEndian: Int64(dimension)) }
    bytes.append(littleEndian: tensor.type.rawValue)
    bytes.append(littleEndian: UInt64(offset))
  }
}

extension GGUFPlan {
  fileprivate init(
    header: [UInt8], tensors: [GGUFTensorInfo], placement: Placement, alignment: Int
  ) throws(Failure) {
    guard let fileSize = header.count.adding(placement.end) else { throw Failure(.totalOverflow) }
    self.header = header
    self.alignment = alignment
    self.fileSize = fileSize
    self.tensors = zip(tensors, placement.ranges).map { tensor, range in
      GGUFTensor(info: tensor, range: range.lowerBound + header.count..<range.upperBound + header.count)
    }
  }
}

extension GGUFMetadata {
  /// An alignment that isn't 32 bits wide becomes 0, which no file may have.
  mutating func set(alignment: Int) {
    self[GGUFKey.alignment] = .uint32(UInt32(exactly: alignment) ?? 0)
  }
}
