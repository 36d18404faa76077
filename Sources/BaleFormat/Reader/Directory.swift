import ByteIO

/// The directory of one file: its tables, checked once as a whole. Rows are decoded where they are asked for, so
/// opening makes no object a tensor.
final class Directory: Sendable {
  let path: String
  let trailer: Trailer
  let storage: DirectoryBytes
  let sections: SectionMap

  let tensors: Table<TensorRow>
  let dimensions: Table<DimensionRow>
  let parts: Table<PartRow>
  let records: Table<RecordRow>
  let planes: Table<PlaneRow>
  let chunks: Table<ChunkRow>
  let encodings: Table<TextReference>
  let files: Table<FileRow>
  let segments: Table<SegmentRow>
  /// Nil for a file that is no shard.
  let shard: ShardRow?
  /// Tensors whose parts here don't cover them: rows of a shard.
  let partialTensors: Set<Int>

  /// Reads and checks. Throws `BaleError`, or `IOError` from the source.
  init(_ source: any ByteSource) throws {
    let (trailer, storage) = try FrameReader(source: source).read()
    let sections = try SectionMap(storage, path: source.path, offset: trailer.directoryOffset)
    self.path = source.path
    self.trailer = trailer
    self.storage = storage
    self.sections = sections
    tensors = sections.table(.tensors)
    dimensions = sections.table(.dimensions)
    parts = sections.table(.parts)
    records = sections.table(.records)
    planes = sections.table(.planes)
    chunks = sections.table(.chunks)
    encodings = sections.table(.encodings)
    files = sections.table(.files)
    segments = sections.table(.segments)
    let shards: Table<ShardRow> = sections.table(.shard)
    shard = shards.first
    let tables = DirectoryTables(
      path: source.path, trailer: trailer, sections: sections, tensors: tensors, dimensions: dimensions, parts: parts,
      records: records, planes: planes, chunks: chunks, encodings: encodings, files: files, segments: segments,
      shard: shard)
    partialTensors = try tables.check()
  }

  func text(_ reference: TextReference) -> UnsafeRawBufferPointer { sections.text(reference) }

  func string(_ reference: TextReference) -> String { String(decoding: text(reference), as: UTF8.self) }

  var metadata: [UInt8] { Array(storage.slice(sections.range(.metadata))) }

  var hasSHA256: Bool { !sections.range(.sha256).isEmpty }

  /// The SHA-256 of a chunk, if the file carries them.
  func sha256(chunk: Int) -> UnsafeRawBufferPointer? {
    let range = sections.range(.sha256)
    return range.isEmpty ? nil : storage.slice(range.lowerBound + chunk * 32..<range.lowerBound + chunk * 32 + 32)
  }
}
