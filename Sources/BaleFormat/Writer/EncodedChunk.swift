import ByteIO

/// The bytes of one chunk as they go to the file, with their digest. Made by workers on any thread.
public struct EncodedChunk: Sendable {
  /// Index of the plane in the part's layout.
  public let plane: Int
  /// Index of the chunk in the plane: the span, or the piece of a `whole` plane.
  public let index: Int
  /// Stored bytes and their zero padding.
  let bytes: [UInt8]
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
  ///   - bytes: the decoded bytes of chunk `index` of `plane`.
  ///   - sha256: true to compute the cryptographic digest too, which a writer opened with `sha256` needs.
  ///   - compress: makes a zstd frame that holds its content size. Called only for compressed planes.
  public func chunk(
    plane: Int, index: Int, bytes: consuming [UInt8], sha256: Bool = false,
    compress: (UnsafeRawBufferPointer) throws -> [UInt8]
  ) throws -> EncodedChunk {
    let layout = planes[plane]
    let decoded = bytes.count
    try check(decoded, plane: plane, index: index)
    var stored = bytes
    if layout.isCompressed {
      let frame = try stored.withUnsafeBytes(compress)
      if frame.count < decoded && decoded <= frame.count * BaleConstants.maximumRatio { stored = frame }
    }
    let count = stored.count
    let padding = layout.extent(ofChunk: index, stored: count) - count
    stored.append(contentsOf: repeatElement(0, count: padding))
    return EncodedChunk(
      plane: plane, index: index, bytes: stored, stored: count, decoded: decoded, digest: XXH3.digest64(stored),
      sha256: sha256 ? SHA256.digest(stored) : nil)
  }

  /// The same for a plane that is stored raw. Throws `BaleWriterError.needsCompressor` for a compressed one.
  public func chunk(
    plane: Int, index: Int, bytes: consuming [UInt8], sha256: Bool = false
  ) throws(BaleWriterError) -> EncodedChunk {
    do {
      return try chunk(plane: plane, index: index, bytes: bytes, sha256: sha256) { _ in
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
