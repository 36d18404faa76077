import ByteIO

/// One page of a parity file's index. Each repeats what concerns the whole file, so that any page that survives says
/// where the others are.
struct ParityPage: Equatable {
  static let size = 4096
  /// Digests of blocks in a page.
  static let rows = 248
  static let digestBytes = 16
  private static let headerBytes = 120
  private static let magic: [UInt8] = [0x89] + Array("BALEPAR".utf8)
  private static let version: UInt32 = 1

  var number: Int
  var layout: ParityLayout
  /// SHA-256 of the protected file.
  var sha256: [UInt8]
  /// XXH3-128 of blocks `number * rows` and on: data blocks, then parity blocks.
  var digests: [UInt8]

  init(number: Int, layout: ParityLayout, sha256: [UInt8], digests: [UInt8]) {
    self.number = number
    self.layout = layout
    self.sha256 = sha256
    self.digests = digests
  }

  /// The 4096 bytes.
  var encoded: [UInt8] {
    var bytes = Self.magic
    bytes.append(littleEndian: Self.version)
    bytes.append(littleEndian: UInt32(truncatingIfNeeded: number))
    bytes.append(littleEndian: UInt64(layout.fileSize))
    bytes += sha256
    bytes.append(littleEndian: UInt64(layout.blockSize))
    bytes.append(littleEndian: UInt32(truncatingIfNeeded: layout.dataBlocks))
    bytes.append(littleEndian: UInt32(truncatingIfNeeded: layout.parityBlocks))
    bytes += [UInt8](repeating: 0, count: Self.headerBytes - bytes.count) + digests
    bytes += [UInt8](repeating: 0, count: Self.size - 8 - bytes.count)
    bytes.append(littleEndian: XXH3.digest64(bytes))
    return bytes
  }

  /// Reads a page. Nil where the bytes aren't one, or were damaged; throws the reason where they are a whole page
  /// that can't be right, or is of another version.
  init?(_ bytes: [UInt8]) throws(ParityReason) {
    guard bytes.count == Self.size, bytes.starts(with: Self.magic) else { return nil }
    var cursor = ByteCursor(bytes)
    guard cursor.skip(Self.size - 8), let digest = cursor.integer(UInt64.self),
      digest == XXH3.digest64(Array(bytes.dropLast(8)))
    else { return nil }
    cursor = ByteCursor(bytes)
    guard cursor.skip(Self.magic.count), let version = cursor.integer(UInt32.self) else { return nil }
    guard version == Self.version else { throw .version(version) }
    guard let number = cursor.integer(UInt32.self), let fileSize = cursor.integer(UInt64.self),
      let sha256 = cursor.slice(32), let blockSize = cursor.integer(UInt64.self),
      let data = cursor.integer(UInt32.self), let parity = cursor.integer(UInt32.self),
      let reserved = cursor.slice(Self.headerBytes - cursor.position), cursor.skip(Self.rows * Self.digestBytes)
    else { return nil }
    guard let fileSize = Int(exactly: fileSize), let blockSize = Int(exactly: blockSize) else {
      throw .geometry("a file of \(fileSize) bytes in blocks of \(blockSize)")
    }
    layout = try ParityLayout(
      fileSize: fileSize, blockSize: blockSize, dataBlocks: Int(data), parityBlocks: Int(parity))
    self.number = Int(number)
    guard self.number < layout.pages else { throw .geometry("page \(number) of \(layout.pages)") }
    self.sha256 = Array(sha256)
    let filled = min(Self.rows, layout.dataBlocks + layout.parityBlocks - self.number * Self.rows)
    let rest = bytes[Self.headerBytes + filled * Self.digestBytes..<Self.size - 8]
    guard reserved.allSatisfy({ $0 == 0 }), rest.allSatisfy({ $0 == 0 }) else { throw .reserved }
    digests = Array(bytes[Self.headerBytes..<Self.headerBytes + filled * Self.digestBytes])
  }
}
