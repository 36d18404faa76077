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
    let layout = HeaderLayout(
      entries: entries, dimensions: parser.dimensions, dataStart: Self.lengthSize + json.count, fileSize: fileSize,
      file: file)
    let order = layout.dataOrder()
    try layout.check(in: order)
    self.init(
      headerRange: 0..<layout.dataStart, metadata: parser.metadata, tensors: try layout.tensors(), dataOrder: order,
      positions: positions)
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
    let hasDuplicates = entries.indices.contains { positions.insert(entries[$0].name, at: $0) != nil }
    guard hasDuplicates else { return (entries, positions) }
    positions = NameTable(capacity: entries.count)
    var kept: [HeaderEntry] = []
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
}
