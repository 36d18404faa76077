/// The decoded planes of one record. What is raw stays where it is in the record's bytes.
public struct RecordContent: Sendable {
  public let record: BaleRecord
  private let bytes: [UInt8]
  /// Per part, plane and chunk.
  private let chunks: [[[Place]]]

  private enum Place: Sendable {
    case inRecord(Range<Int>)
    case decoded([UInt8])
  }

  /// Checks every chunk of the record, then takes it apart. Throws `BaleError`.
  init(_ record: BaleRecord, bytes: [UInt8], shard: BaleFile.Shard) throws {
    let reader = ChunkReader(shard)
    let row = shard.directory.records[record.id.index]
    let start = record.range.lowerBound
    try bytes.withUnsafeBytes { buffer in
      for index in Int(row.firstChunk)..<Int(row.firstChunk) + Int(row.chunkCount) {
        let chunk = shard.directory.chunks[index]
        // A chunk that the record shares with an earlier one lies outside and is checked when it is read.
        guard let range = Self.range(chunk, Int(chunk.extent), start, bytes.count) else { continue }
        try reader.check(UnsafeRawBufferPointer(rebasing: buffer[range]), chunk, tensor: nil)
      }
    }
    self.record = record
    self.bytes = bytes
    chunks = try record.parts.map { name, part in
      try part.planes.map { plane in
        try plane.chunks.map { index in
          let chunk = shard.directory.chunks[index]
          guard let range = Self.range(chunk, Int(chunk.stored), start, bytes.count) else {
            return .decoded(try reader.read(index, isCompressed: plane.isCompressed, tensor: name))
          }
          guard reader.isFrame(chunk, plane.isCompressed) else { return .inRecord(range) }
          return .decoded(
            try bytes.withUnsafeBytes {
              try reader.decode(UnsafeRawBufferPointer(rebasing: $0[range]), chunk, tensor: name)
            })
        }
      }
    }
  }

  /// The range in the record of the first `count` bytes of a chunk, nil if it lies elsewhere.
  private static func range(_ chunk: ChunkRow, _ count: Int, _ start: Int, _ length: Int) -> Range<Int>? {
    let first = Int(chunk.offset) - start
    return first >= 0 && count <= length && first <= length - count ? first..<first + count : nil
  }

  /// Lends the bytes of one chunk: span `index` of the plane, or a piece of a `whole` one.
  /// - Parameter part: index in the record's parts.
  public func withChunk<R>(
    _ index: Int, plane: Int, part: Int, _ body: (UnsafeRawBufferPointer) throws -> R
  ) rethrows -> R {
    switch chunks[part][plane][index] {
    case .inRecord(let range): try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[range])) }
    case .decoded(let decoded): try decoded.withUnsafeBytes { try body($0) }
    }
  }

  /// Lends all bytes of a plane, chunk after chunk: without a copy where they are one run in the record.
  public func withPlane<R>(_ plane: Int, part: Int, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    if let run = run(chunks[part][plane]) {
      return try bytes.withUnsafeBytes { try body(UnsafeRawBufferPointer(rebasing: $0[run])) }
    }
    var joined: [UInt8] = []
    for index in chunks[part][plane].indices {
      withChunk(index, plane: plane, part: part) { joined.append(contentsOf: $0) }
    }
    return try joined.withUnsafeBytes { try body($0) }
  }

  private func run(_ places: [Place]) -> Range<Int>? {
    guard case .inRecord(let first)? = places.first else { return places.isEmpty ? 0..<0 : nil }
    var run = first.lowerBound..<first.lowerBound
    for place in places {
      guard case .inRecord(let range) = place, range.lowerBound == run.upperBound else { return nil }
      run = run.lowerBound..<range.upperBound
    }
    return run
  }
}
