/// The decoded planes of one record. Raw planes stay where they are in the record's bytes.
public struct RecordContent: Sendable {
  public let record: BaleRecord
  private let bytes: [UInt8]
  /// Per part and plane.
  private let planes: [[Place]]

  private enum Place: Sendable {
    case inRecord(Range<Int>)
    case decoded([UInt8])
  }

  /// Checks every chunk. Throws `BaleError`.
  init(_ record: BaleRecord, bytes: [UInt8], shard: BaleFile.Shard) throws {
    let reader = ChunkReader(shard)
    let chunks = shard.directory.chunks
    let start = record.range.lowerBound
    let row = shard.directory.records[record.id.index]
    try bytes.withUnsafeBytes { buffer in
      for index in Int(row.firstChunk)..<Int(row.firstChunk) + Int(row.chunkCount) {
        let chunk = chunks[index]
        // A chunk that the record shares with an earlier one lies outside and is read on its own.
        guard let extent = Self.slice(buffer, Int(chunk.offset) - start, Int(chunk.extent)) else { continue }
        try reader.check(extent, chunk, tensor: nil)
      }
    }
    self.record = record
    self.bytes = bytes
    planes = try record.parts.map { name, part in
      try part.planes.map {
        try Self.place($0, tensor: name, bytes: bytes, start: start, reader: reader, chunks: chunks)
      }
    }
  }

  private static func place(
    _ plane: BalePlane, tensor: String, bytes: [UInt8], start: Int, reader: ChunkReader, chunks: Table<ChunkRow>
  ) throws -> Place {
    if !plane.isCompressed, let range = run(plane, start, bytes.count, chunks) { return .inRecord(range) }
    var result: [UInt8] = []
    result.reserveCapacity(plane.decodedLength)
    try bytes.withUnsafeBytes { buffer in
      for index in plane.chunks {
        let chunk = chunks[index]
        if let stored = slice(buffer, Int(chunk.offset) - start, Int(chunk.stored)) {
          if reader.isFrame(chunk, plane.isCompressed) {
            result += try reader.decode(stored, chunk, tensor: tensor)
          } else {
            result.append(contentsOf: stored)
          }
        } else {
          result += try reader.read(index, isCompressed: plane.isCompressed, tensor: tensor)
        }
      }
    }
    return .decoded(result)
  }

  /// The range of a plane whose chunks follow one another in the record.
  private static func run(_ plane: BalePlane, _ start: Int, _ count: Int, _ chunks: Table<ChunkRow>) -> Range<Int>? {
    guard let first = plane.chunks.first else { return 0..<0 }
    var end = Int(chunks[first].offset)
    for index in plane.chunks {
      guard Int(chunks[index].offset) == end else { return nil }
      end += Int(chunks[index].stored)
    }
    let range = Int(chunks[first].offset) - start..<end - start
    return range.lowerBound >= 0 && range.upperBound <= count ? range : nil
  }

  private static func slice(_ buffer: UnsafeRawBufferPointer, _ start: Int, _ count: Int) -> UnsafeRawBufferPointer? {
    guard start >= 0, count <= buffer.count, start <= buffer.count - count else { return nil }
    return UnsafeRawBufferPointer(rebasing: buffer[start..<start + count])
  }

  /// Lends the bytes of a plane of part `part` of the record, all spans one after another.
  public func withPlane<R>(_ plane: Int, ofPart part: Int, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    switch planes[part][plane] {
    case .inRecord(let range): try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    case .decoded(let decoded): try decoded.withUnsafeBytes { try body($0) }
    }
  }
}
