import ByteIO

/// The bytes of one chunk as they go to the file, with their digest. Made by workers on any thread.
public struct EncodedChunk: Sendable {
  /// Index of the plane in the part's layout.
  public let plane: Int
  /// Index of the chunk in the plane: the span, or the piece of a `whole` plane.
  public let index: Int
  /// Stored bytes and their zero padding.
  let bytes: ByteBuffer
  let stored: Int
  /// Bytes that it takes in the file, without padding.
  public var storedBytes: Int { stored }
  let decoded: Int
  let digest: UInt64
  let sha256: [UInt8]?
}

extension PartLayout {
  /// Makes a chunk: compresses where the plane asks for it and it pays, pads, digests. Pure, so that any thread may
  /// do it.
  /// - Parameters:
  ///   - bytes: the decoded bytes of chunk `index` of `plane`. Where they are stored as they are, the chunk keeps the
  ///     buffer.
  ///   - sha256: true to compute the cryptographic digest too, which a writer opened with `sha256` needs.
  ///   - compress: makes a zstd frame that holds its content size, or nil where none would pay. Called only for
  ///     compressed planes.
  public func chunk(
    plane: Int, index: Int, bytes: ByteBuffer, sha256: Bool = false,
    compress: (UnsafeRawBufferPointer) throws -> ByteBuffer?
  ) throws -> EncodedChunk {
    let layout = planes[plane]
    let decoded = bytes.count
    try check(decoded, plane: plane, index: index)
    var stored = bytes
    if layout.isCompressed, let frame = try bytes.withBytes(compress), frame.count < decoded,
      decoded <= frame.count * BaleConstants.maximumRatio
    {
      stored = frame
    }
    let count = stored.count
    let padding = layout.extent(ofChunk: index, stored: count) - count
    if padding > 0 { stored = stored.withBytes { ByteBuffer(copying: $0, padding: padding) } }
    return stored.withBytes { bytes in
      let hash = sha256 ? SHA256() : nil
      hash?.update(bytes)
      return EncodedChunk(
        plane: plane, index: index, bytes: stored, stored: count, decoded: decoded, digest: XXH3.digest64(bytes),
        sha256: hash?.finish())
    }
  }

  /// The same of an array.
  public func chunk(
    plane: Int, index: Int, bytes: [UInt8], sha256: Bool = false, compress: (UnsafeRawBufferPointer) throws -> [UInt8]
  ) throws -> EncodedChunk {
    let buffer = bytes.withUnsafeBytes { ByteBuffer(copying: $0) }
    return try chunk(plane: plane, index: index, bytes: buffer, sha256: sha256) { bytes -> ByteBuffer? in
      try compress(bytes).withUnsafeBytes { ByteBuffer(copying: $0) }
    }
  }

  /// The same for a plane that is stored raw. Throws `BaleWriterError.needsCompressor` for a compressed one.
  public func chunk(
    plane: Int, index: Int, bytes: [UInt8], sha256: Bool = false
  ) throws(BaleWriterError) -> EncodedChunk {
    do {
      return try chunk(plane: plane, index: index, bytes: bytes, sha256: sha256) { (_) throws -> [UInt8] in
        throw BaleWriterError.needsCompressor
      }
    } catch {
      throw error as? BaleWriterError ?? .needsCompressor
    }
  }

  private func check(_ decoded: Int, plane: Int, index: Int) throws(BaleWriterError) {
    let layout = planes[plane]
    guard index >= 0, index < layout.chunkCount else { throw .chunkIndex(plane: layout.role, index: index) }
    let expected = layout.decodedLength(ofChunk: index)
    guard layout.extent == .variable ? decoded <= expected : decoded == expected else {
      throw .chunkLength(plane: layout.role, index: index, expected: expected, found: decoded)
    }
  }
}
