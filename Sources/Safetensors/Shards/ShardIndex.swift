import ByteIO
import JSON

/// The index of a sharded checkpoint, `model.safetensors.index.json`: which file holds which tensor.
public struct ShardIndex: Sendable, Equatable {
  public struct Entry: Sendable, Hashable {
    public var tensor: String
    /// Path of the file relative to the index's directory.
    public var shard: String

    public init(tensor: String, shard: String) {
      self.tensor = tensor
      self.shard = shard
    }
  }

  /// `metadata` as it stands: `total_size`, often more; nil if absent.
  public var metadata: JSONObject?
  /// `weight_map` in its order.
  public var weightMap: [Entry]

  public init(metadata: JSONObject?, weightMap: [Entry]) {
    self.metadata = metadata
    self.weightMap = weightMap
  }

  /// An index as transformers makes it.
  /// - Parameters:
  ///   - totalSize: bytes of all tensors, headers not counted.
  ///   - totalParameters: elements of all tensors.
  public init(totalSize: Int, totalParameters: Int? = nil, weightMap: [Entry]) {
    var metadata = JSONObject()
    if let totalParameters { metadata["total_parameters"] = .number(JSONNumber(totalParameters)) }
    metadata["total_size"] = .number(JSONNumber(totalSize))
    self.init(metadata: metadata, weightMap: weightMap)
  }

  /// The file as transformers writes it: two spaces a level, keys sorted, ASCII only, a newline at the end.
  public func encoded() -> [UInt8] {
    let map = JSONObject(weightMap.map { JSONObject.Member($0.tensor, .string($0.shard)) })
    var root = JSONObject()
    root["metadata"] = metadata.map(JSONValue.object)
    root["weight_map"] = .object(map)
    return JSONValue.object(root).encoded(.python(indent: 2, sortKeys: true)) + [UInt8(ascii: "\n")]
  }
}

extension ShardIndex {
  /// Reads an index. Throws `ShardError`, or `IOError` if it can't be read.
  public init(_ path: String) throws {
    let input = try InputFile(path)
    guard input.size <= SafetensorsLimits.index else {
      throw ShardError(.indexTooLarge(size: input.size), file: path)
    }
    try self.init(parsing: input.bytes(0..<input.size), file: path)
  }

  /// Reads the text of an index. Every shard that it gives is a plain relative path that ends in ".safetensors".
  /// - Parameter file: the name that errors give.
  public init(parsing bytes: [UInt8], file: String) throws {
    let root: JSONValue
    do { root = try JSONValue(parsing: bytes) } catch {
      throw ShardError(.invalidJSON(error.reason), file: file, offset: error.offset)
    }
    guard let object = root.object else {
      throw ShardError(.invalidField("index", expected: .object, found: root.kind), file: file)
    }
    metadata = try object["metadata"].map { try Self.object($0, "metadata", file) }
    weightMap = try Self.object(object["weight_map"], "weight_map", file).members.map { member in
      guard let shard = member.value.string else {
        let reason = ShardReason.invalidField("weight_map", expected: .string, found: member.value.kind)
        throw ShardError(reason, file: file, tensor: member.key)
      }
      if let reason = Self.refusal(of: shard) { throw ShardError(reason, file: file, tensor: member.key) }
      return Entry(tensor: member.key, shard: shard)
    }
  }

  private static func object(_ value: JSONValue?, _ field: String, _ file: String) throws -> JSONObject {
    guard let object = value?.object else {
      throw ShardError(.invalidField(field, expected: .object, found: value?.kind), file: file)
    }
    return object
  }

  /// Why a shard's path is refused, or nil.
  private static func refusal(of shard: String) -> ShardReason? {
    let hasDrive = shard.utf8.dropFirst().first == UInt8(ascii: ":")
    if hasDrive || !Path.isContained(shard) { return .shardOutsideDirectory(shard) }
    return shard.utf8.suffix(safetensorsSuffix.utf8.count).elementsEqual(safetensorsSuffix.utf8)
      ? nil : .shardWrongExtension(shard)
  }
}

let safetensorsSuffix = ".safetensors"
