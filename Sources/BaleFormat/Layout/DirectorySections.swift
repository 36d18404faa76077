import ByteIO

/// The frame of a directory: magic, section table, then the sections, each at a multiple of 16.
enum DirectorySections {
  static let headerLength = 16
  static let rowLength = 24
  static let alignment = 16

  /// Bytes of a directory with sections of these lengths.
  static func length(of sections: [Int]) -> Int {
    sections.reduce(start(sections.count)) { padded($0 + $1) }
  }

  /// Offset of the first of `count` sections.
  static func start(_ count: Int) -> Int { padded(headerLength + rowLength * count) }

  private static func padded(_ length: Int) -> Int { (length + alignment - 1) / alignment * alignment }

  /// The directory's bytes.
  static func assemble(_ sections: [(tag: SectionTag, bytes: [UInt8])]) -> [UInt8] {
    var result = BaleConstants.directoryMagic
    result.reserveCapacity(length(of: sections.map(\.bytes.count)))
    result.append(littleEndian: UInt32(sections.count))
    result.append(littleEndian: UInt32(0))
    var offset = start(sections.count)
    for section in sections {
      result.append(contentsOf: Array(section.tag.rawValue.utf8))
      result.append(littleEndian: UInt32(section.tag.isRequired ? 1 : 0))
      result.append(littleEndian: UInt64(offset))
      result.append(littleEndian: UInt64(section.bytes.count))
      offset = padded(offset + section.bytes.count)
    }
    result.pad(to: alignment)
    for section in sections {
      result.append(contentsOf: section.bytes)
      result.pad(to: alignment)
    }
    return result
  }
}
