import ByteIO

/// The header and the trailer: 128 bytes each, the last 8 the XXH3-64 of the 120 before.
enum FileFrame {
  static func header() -> [UInt8] {
    var bytes = BaleConstants.headerMagic
    bytes.append(littleEndian: BaleConstants.version)
    bytes.append(littleEndian: UInt32(BaleConstants.headerLength))
    return sealed(bytes)
  }

  static func trailer(_ trailer: Trailer) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(littleEndian: UInt64(trailer.directoryOffset))
    bytes.append(littleEndian: UInt64(trailer.directoryLength))
    bytes += trailer.directoryDigest
    bytes += trailer.root
    bytes.append(littleEndian: UInt64(trailer.fileLength))
    bytes.append(littleEndian: BaleConstants.version)
    bytes += [UInt8](repeating: 0, count: 112 - bytes.count)
    bytes += BaleConstants.trailerMagic
    return sealed(bytes)
  }

  private static func sealed(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes + [UInt8](repeating: 0, count: 120 - bytes.count)
    bytes.append(littleEndian: XXH3.digest64(bytes))
    return bytes
  }
}

/// What the trailer says.
struct Trailer: Equatable, Sendable {
  var directoryOffset: Int
  var directoryLength: Int
  /// XXH3-128 of the directory, canonical.
  var directoryDigest: [UInt8]
  /// SHA-256 of the directory.
  var root: [UInt8]
  var fileLength: Int
}
