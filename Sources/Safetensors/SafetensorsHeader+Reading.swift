import ByteIO
import JSON
import Tensors

extension SafetensorsHeader {
  /// Bytes of the little-endian length before the header's JSON.
  static let lengthSize = 8

  /// Reads the header of a whole file in memory. Throws `SafetensorsError`.
  /// - Parameter file: the name that errors give.
  public init(of bytes: [UInt8], file: String, options: SafetensorsOptions = SafetensorsOptions()) throws {
    let length = try Self.length(from: Array(bytes.prefix(Self.lengthSize)), fileSize: bytes.count, file: file)
    self = try bytes.withUnsafeBytes {
      let json = UnsafeRawBufferPointer(rebasing: $0[Self.lengthSize..<Self.lengthSize + length])
      return try SafetensorsHeader(json: json, fileSize: bytes.count, file: file, options: options)
    }
  }

  /// The length of the JSON, from the first eight bytes of the file (all there are, if it has fewer).
  static func length(from prefix: [UInt8], fileSize: Int, file: String) throws -> Int {
    var cursor = ByteCursor(prefix)
    guard let length = cursor.integer(UInt64.self) else {
      throw SafetensorsError(.headerTooSmall(fileSize: fileSize), file: file, offset: 0)
    }
    guard length <= UInt64(SafetensorsLimits.header) else {
      throw SafetensorsError(.headerTooLarge(length: length), file: file, offset: 0)
    }
    guard Int(length) <= fileSize - lengthSize else {
      throw SafetensorsError(.invalidHeaderLength(length: length, fileSize: fileSize), file: file, offset: 0)
    }
    return Int(length)
  }

  /// Reads and checks the JSON of a header with its padding.
  init(json: UnsafeRawBufferPointer, fileSize: Int, file: String, options: SafetensorsOptions) throws {
    let parser = try Self.parse(json, file: file)
    let (entries, positions) = try Self.named(parser.entries, file: file, options: options)
    let order = Self.dataOrder(of: entries)
    let dataStart = Self.lengthSize + json.count
    try Self.checkLayout(of: entries, in: order, dataStart: dataStart, fileSize: fileSize, file: file)
    self.init(
      headerRange: 0..<dataStart, metadata: parser.metadata,
      tensors: try entries.map { try Self.tensor($0, dataStart: dataStart, file: file) },
      dataOrder: order, positions: positions)
  }

  private static func parse(_ json: UnsafeRawBufferPointer, file: String) throws -> HeaderParser {
    var tensor: String?
    do {
      var parser = try HeaderParser(json)
      defer { tensor = parser.tensor }
      try parser.parse()
      return parser
    } catch let error as JSONError {
      let reason: SafetensorsReason =
        error.reason == .invalidUTF8 ? .invalidHeader : .invalidHeaderDeserialization(.json(error.reason))
      throw SafetensorsError(reason, file: file, tensor: tensor, offset: lengthSize + error.offset)
    } catch let error as HeaderFault {
      throw SafetensorsError(
        .invalidHeaderDeserialization(error.problem), file: file, tensor: tensor, offset: lengthSize + error.offset)
    }
  }

  /// The entries with a table of their names. Of several with one name the last stays, where options allow it.
  private static func named(
    _ entries: [HeaderEntry], file: String, options: SafetensorsOptions
  ) throws -> ([HeaderEntry], NameTable) {
    var positions = NameTable(capacity: entries.count)
    var kept: [HeaderEntry] = []
    kept.reserveCapacity(entries.count)
    for entry in entries {
      if let known = positions.insert(entry.name, at: kept.count) {
        guard options.allowDuplicateNames else {
          throw SafetensorsError(.duplicateName, file: file, tensor: entry.name)
        }
        kept[known] = entry
      } else {
        kept.append(entry)
      }
    }
    return (kept, positions)
  }

  /// Indices of the entries ascending by offsets; entries without bytes at one place keep the header's order.
  private static func dataOrder(of entries: [HeaderEntry]) -> [Int] {
    func precedes(_ left: Int, _ right: Int) -> Bool {
      (entries[left].begin, entries[left].end, left) < (entries[right].begin, entries[right].end, right)
    }
    let indices = Array(entries.indices)
    let isOrdered = indices.dropFirst().allSatisfy { precedes($0 - 1, $0) }
    return isOrdered ? indices : indices.sorted(by: precedes)
  }

  /// Checks that the tensors lie one after the other, each of the size that its dtype and shape take, to the end of
  /// the file.
  private static func checkLayout(
    of entries: [HeaderEntry], in order: [Int], dataStart: Int, fileSize: Int, file: String
  ) throws {
    var previousEnd: UInt64 = 0
    for index in order {
      try check(entries[index], previousEnd: previousEnd, file: file)
      previousEnd = entries[index].end
    }
    let expected = previousEnd.adding(UInt64(dataStart)) ?? .max
    guard expected == UInt64(fileSize) else {
      throw SafetensorsError(.metadataIncompleteBuffer(expected: expected, fileSize: fileSize), file: file)
    }
  }

  private static func check(_ entry: HeaderEntry, previousEnd: UInt64, file: String) throws {
    guard entry.begin == previousEnd, entry.end >= entry.begin else {
      throw SafetensorsError(
        .invalidOffset(expectedBegin: previousEnd, begin: entry.begin, end: entry.end), file: file, tensor: entry.name)
    }
    let size = try size(of: entry.dtype, dimensions: entry.dimensions, tensor: entry.name, file: file)
    guard entry.end - entry.begin == size else {
      throw SafetensorsError(
        .tensorInvalidInfo(expected: size, found: entry.end - entry.begin), file: file, tensor: entry.name)
    }
  }

  /// Bytes that a tensor takes: the product of its dimensions, taken left to right, times the bits of an element.
  static func size(of dtype: DType, dimensions: [UInt64], tensor: String, file: String) throws -> UInt64 {
    var elements: UInt64? = 1
    for dimension in dimensions { elements = elements?.multiplied(by: dimension) }
    guard let bits = elements?.multiplied(by: UInt64(dtype.bits)) else {
      throw SafetensorsError(.validationOverflow(dimensions: dimensions, dtype: dtype), file: file, tensor: tensor)
    }
    guard bits % 8 == 0 else {
      throw SafetensorsError(.misalignedSlice(dimensions: dimensions, dtype: dtype), file: file, tensor: tensor)
    }
    return bits / 8
  }

  /// The tensor of a checked entry, whose offsets therefore lie in the file.
  private static func tensor(_ entry: HeaderEntry, dataStart: Int, file: String) throws -> SafetensorsTensor {
    let dimensions = entry.dimensions.compactMap(Int.init(exactly:))
    guard dimensions.count == entry.dimensions.count, let shape = Shape(dimensions) else {
      throw SafetensorsError(.shapeOutOfRange(dimensions: entry.dimensions), file: file, tensor: entry.name)
    }
    return SafetensorsTensor(
      name: entry.name, dtype: entry.dtype, shape: shape,
      bytes: dataStart + Int(entry.begin)..<dataStart + Int(entry.end))
  }
}
