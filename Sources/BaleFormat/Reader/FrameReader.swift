import ByteIO

/// Reads header, trailer and directory, and nothing else of the file.
struct FrameReader {
  let source: any ByteSource

  /// The trailer and the directory's bytes, whose digests hold. Throws `BaleError`, or `IOError` from the source.
  func read() throws -> (trailer: Trailer, directory: DirectoryBytes) {
    guard source.size >= BaleConstants.headerLength + BaleConstants.trailerLength else {
      throw fault(.tooShort(size: source.size))
    }
    try checkHeader(try source.bytes(at: 0, count: BaleConstants.headerLength))
    let start = source.size - BaleConstants.trailerLength
    let trailer = try trailer(try source.bytes(at: start, count: BaleConstants.trailerLength), at: start)
    let directory = try DirectoryBytes(count: trailer.directoryLength) {
      try source.read(at: trailer.directoryOffset, into: $0)
    }
    guard XXH3.digest128(directory.bytes) == trailer.directoryDigest else {
      throw fault(.directoryDamaged, at: trailer.directoryOffset)
    }
    return (trailer, directory)
  }

  private func checkHeader(_ bytes: [UInt8]) throws {
    var cursor = ByteCursor(bytes)
    guard Array(cursor.slice(8) ?? []) == BaleConstants.headerMagic else { throw fault(.notBale, at: 0) }
    guard isSealed(bytes) else { throw fault(.headerDamaged, at: 0) }
    let version = cursor.integer(UInt32.self) ?? 0
    guard version == BaleConstants.version else { throw fault(.version(version), at: 8) }
    guard cursor.integer(UInt32.self) == UInt32(BaleConstants.headerLength), bytes[16..<120].allSatisfy({ $0 == 0 })
    else { throw fault(.reserved("the rest of the header"), at: 12) }
  }

  private func trailer(_ bytes: [UInt8], at start: Int) throws -> Trailer {
    guard Array(bytes[112..<120]) == BaleConstants.trailerMagic else { throw fault(.noTrailer, at: start) }
    guard isSealed(bytes) else { throw fault(.trailerDamaged, at: start) }
    var cursor = ByteCursor(bytes)
    let offset = cursor.integer(UInt64.self) ?? 0
    let length = cursor.integer(UInt64.self) ?? 0
    let digest = Array(cursor.slice(16) ?? [])
    let root = Array(cursor.slice(32) ?? [])
    let fileLength = cursor.integer(UInt64.self) ?? 0
    let version = cursor.integer(UInt32.self) ?? 0
    guard version == BaleConstants.version else { throw fault(.version(version), at: start + 72) }
    guard bytes[76..<112].allSatisfy({ $0 == 0 }) else { throw fault(.reserved("the rest of the trailer"), at: start) }
    guard fileLength == UInt64(source.size) else {
      throw fault(.fileLength(stated: fileLength, actual: source.size), at: start)
    }
    guard offset >= UInt64(BaleConstants.headerLength), offset % UInt64(BaleConstants.planeAlignment) == 0,
      offset.adding(length) == UInt64(start)
    else { throw fault(.directoryRange(offset: offset, length: length), at: start) }
    return Trailer(
      directoryOffset: Int(offset), directoryLength: Int(length), directoryDigest: digest, root: root,
      fileLength: source.size)
  }

  /// True if the last 8 of the 128 bytes are the digest of the others.
  private func isSealed(_ bytes: [UInt8]) -> Bool {
    XXH3.digest64(Array(bytes[..<120])).littleEndian
      == bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 120, as: UInt64.self) }
  }

  private func fault(_ reason: BaleReason, at offset: Int? = nil) -> BaleError {
    BaleError(reason, file: source.path, offset: offset)
  }
}
