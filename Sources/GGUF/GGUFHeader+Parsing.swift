import ByteIO

extension GGUFHeader {
  /// "GGUF"
  static let magic: [UInt8] = [0x47, 0x47, 0x55, 0x46]
  /// Fewest bytes of a key-value pair: length, one byte of key, type, one byte of value.
  private static let leastPairBytes = 14
  /// Fewest bytes of a tensor info: an empty name and no dimensions.
  private static let leastInfoBytes = 24

  init(_ cursor: inout HeaderCursor) throws {
    let version = try Self.version(&cursor)
    let tensorCount = try Self.count(&cursor, "the number of tensors", each: Self.leastInfoBytes)
    let pairCount = try Self.count(&cursor, "the number of key-value pairs", each: Self.leastPairBytes)
    let (metadata, alignment) = try cursor.metadata(pairCount)

    var placement = Placement(alignment: alignment, count: tensorCount)
    var infos: [GGUFTensorInfo] = []
    infos.reserveCapacity(tensorCount)
    for _ in 0..<tensorCount { infos.append(try cursor.tensorInfo(&placement)) }
    let length = cursor.position
    // No overflow: the alignment is below 2^32, the length below the limit of a header.
    let dataStart = length.roundedUp(to: alignment) ?? length
    self.init(
      version: version, byteOrder: cursor.isBigEndian ? .big : .little, metadata: metadata, alignment: alignment,
      tensors: try Self.tensors(infos, placement, from: dataStart, &cursor), positions: placement.positions,
      length: length, dataStart: dataStart)
  }

  /// Checks the magic, finds the byte order and returns the version. A version is a small number, so that the wrong
  /// order shows in its low half being zero.
  private static func version(_ cursor: inout HeaderCursor) throws -> UInt32 {
    let magic = try cursor.bytes(4, "the magic")
    guard magic == Self.magic else { throw cursor.fail(.magic(magic), at: 0) }
    var version: UInt32 = try cursor.integer("the version")
    if version & 0xffff == 0, version != 0 {
      cursor.isBigEndian = true
      version = version.byteSwapped
    }
    guard version == 2 || version == 3 else { throw cursor.fail(.version(version), at: 4) }
    return version
  }

  private static func count(_ cursor: inout HeaderCursor, _ field: StaticString, each leastBytes: Int) throws -> Int {
    let start = cursor.position
    let count: Int64 = try cursor.integer(field)
    guard count >= 0 else { throw cursor.fail(.negativeCount(field: "\(field)", count), at: start) }
    guard count <= cursor.left / leastBytes else {
      throw cursor.fail(.beyondFile(field: "\(field)", count: UInt64(count), left: cursor.left), at: start)
    }
    guard count <= GGUFLimits.entries else {
      throw cursor.fail(.tooMany(field: "\(field)", count: Int(count), limit: GGUFLimits.entries), at: start)
    }
    return Int(count)
  }

  /// The tensors with their place in the file, each of which must lie inside it.
  private static func tensors(
    _ infos: [GGUFTensorInfo], _ placement: Placement, from dataStart: Int, _ cursor: inout HeaderCursor
  ) throws(GGUFError) -> [GGUFTensor] {
    var tensors: [GGUFTensor] = []
    tensors.reserveCapacity(infos.count)
    for (info, range) in zip(infos, placement.ranges) {
      cursor.tensor = info.name
      guard let end = dataStart.adding(range.upperBound) else {
        throw cursor.fail(.sizeOverflow(type: info.type, ne: info.ne), at: dataStart)
      }
      guard end <= cursor.size else {
        throw cursor.fail(.dataBeyondFile(end: end, size: cursor.size), at: cursor.size)
      }
      tensors.append(GGUFTensor(info: info, range: dataStart + range.lowerBound..<end))
    }
    return tensors
  }
}

extension GGUFMetadata {
  /// `general.alignment`, or 32. Throws `alignmentType` or `alignment`.
  func alignment() throws(Failure) -> Int {
    guard let value = self[GGUFKey.alignment] else { return GGUFHeader.defaultAlignment }
    guard case .uint32(let alignment) = value else { throw Failure(.alignmentType(value.type)) }
    guard alignment.nonzeroBitCount == 1 else { throw Failure(.alignment(alignment)) }
    return Int(alignment)
  }
}
