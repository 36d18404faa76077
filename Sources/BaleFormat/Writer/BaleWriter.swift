import ByteIO
import Tensors

/// Writes a `.bale` file, or a set of shards, front to back in one pass (specs/bale.md). Calls come in order, from
/// one thread at a time; the chunks themselves are made by `PartLayout.chunk` on any thread. Nothing has the final
/// name before `commit` has made it durable. The same calls give the same bytes.
public final class BaleWriter {
  public struct Options: Sendable {
    /// Replace existing files.
    public var overwrite = false
    /// Start a new shard where the next record would make the file larger than this.
    public var shardSize: Int?
    /// Store a SHA-256 for each chunk.
    public var sha256 = false
    /// The JSON document of section META.
    public var metadata: [UInt8] = Array("{}".utf8)
    /// Bytes of disk to reserve at once, see `BaleSizeEstimate`. Not used with `shardSize`.
    public var reserve: Int?
    /// Keep what is written under temporary names of its own if there is no `commit`, for another process to go on by
    /// `repeatRecord`.
    public var isKept = false

    public init() {}
  }

  /// A file that `commit` published.
  public struct Written: Sendable, Equatable {
    public var path: String
    public var size: Int
    /// SHA-256 of the directory: it names the content.
    public var root: [UInt8]
  }

  let path: String
  let options: Options
  var tensors: [TensorDeclaration] = []
  var errors: [Int: (relativeMSE: Double, maximum: Double)] = [:]
  var files: [FileDeclaration] = []
  var shards: [ShardOutput] = []
  /// Names by their bytes: Swift takes strings for equal that differ in bytes.
  private var names: Set<[UInt8]> = []
  private var fileNames: Set<[UInt8]> = []
  private var open: OpenRecord?
  var isCommitted = false

  /// Creates the temporary file beside `path`. Throws `IOError`: EEXIST if `path` exists and may not be replaced.
  public init(_ path: String, options: Options = Options()) throws {
    self.path = path
    self.options = options
    try startShard()
  }

  private func startShard() throws {
    guard shards.count < BaleConstants.maximumShards else { throw BaleWriterError.tooManyShards }
    shards.append(
      try ShardOutput(
        path: path, number: shards.count, options: options,
        metadata: shards.isEmpty ? options.metadata.count : 0))
  }

  /// Makes a tensor known, before the first record with a part of it. Throws `BaleWriterError`.
  public func declare(_ tensor: TensorDeclaration) throws(BaleWriterError) -> TensorID {
    guard names.insert(Array(tensor.name.utf8)).inserted else { throw .duplicateTensor(tensor.name) }
    guard tensors.count < Int(UInt32.max), tensor.shape.rank <= 255 else { throw .directoryTooLarge }
    tensors.append(tensor)
    return TensorID(index: tensors.count - 1)
  }

  /// Starts a record, in a new shard if this one would grow beyond its size.
  /// Resident and ordinary tensors should come before experts, so that the file has one gap.
  public func beginRecord(_ kind: RecordKind, parts: [PartDeclaration]) throws {
    guard open == nil, !isCommitted, !parts.isEmpty else { throw BaleWriterError.order("beginRecord") }
    try begin(kind, parts: parts, layout: try layout(kind, parts))
  }

  private func layout(_ kind: RecordKind, _ parts: [PartDeclaration]) throws(BaleWriterError) -> RecordLayout {
    if case .expert(let layer, let expert) = kind {
      guard (0..<Int(UInt32.max)).contains(layer), (0..<Int(UInt32.max)).contains(expert) else {
        throw .directoryTooLarge
      }
    }
    for part in parts { try check(part) }
    return try RecordLayout(kind: kind, parts: parts.map(\.layout))
  }

  /// A record that an earlier process wrote, in place of writing it: the same calls came before it, and its bytes are
  /// in the file that was kept. Throws `BaleWriterError.order` for one that can't come here.
  public func repeatRecord(_ record: WrittenRecord, _ kind: RecordKind, parts: [PartDeclaration]) throws {
    guard !parts.isEmpty else { throw BaleWriterError.order("repeatRecord") }
    try beginRecord(kind, parts: parts)
    guard let layout = open?.layout, record.shard == shards.count - 1, record.lengths.count == layout.planes.count,
      (layout.chunkCount...layout.chunkCount + 1).contains(record.chunks.count),
      record.range.lowerBound == shard.position || record.range.upperBound <= shard.position
    else { throw BaleWriterError.order("repeatRecord") }
    open = nil
    try shard.add(record, kind: kind, layout: layout, parts: parts, tensors: tensors)
  }

  private func begin(_ kind: RecordKind, parts: [PartDeclaration], layout: RecordLayout) throws {
    if let limit = options.shardSize, !shard.tables.records.isEmpty,
      shard.fileLength + kind.alignment + layout.maximumLength > limit
    {
      try startShard()
    }
    try shard.align(for: kind)
    open = OpenRecord(kind: kind, layout: layout, parts: parts, start: shard.position)
  }

  private var shard: ShardOutput { shards[shards.count - 1] }

  private func check(_ part: PartDeclaration) throws(BaleWriterError) {
    guard tensors.indices.contains(part.tensor.index) else { throw .order("beginRecord") }
    let tensor = tensors[part.tensor.index]
    guard part.range.lowerBound >= 0, part.range.upperBound <= tensor.firstDimension else { throw .parts(tensor.name) }
    guard part.range.count * tensor.stride == part.layout.elements else { throw .layout(tensor.name) }
  }

  /// Writes one chunk of part number `part` of the open record. Chunks of planes that are neither compressed nor
  /// variable may come in any order.
  public func append(_ chunk: EncodedChunk, part: Int) throws {
    guard let offset = try open?.place(chunk, part: part) else {
      if open == nil { throw BaleWriterError.order("append") }
      return
    }
    try shard.write(chunk, at: offset)
  }

  /// Ends the open record. Throws `BaleWriterError.recordIncomplete` if a chunk is missing.
  /// - Returns: what `repeatRecord` takes.
  @discardableResult
  public func endRecord() throws -> WrittenRecord {
    guard let record = open else { throw BaleWriterError.order("endRecord") }
    open = nil
    return try shard.end(record, tensors: tensors)
  }

  /// Makes what was written so far durable, under the temporary names. Throws `IOError`.
  public func flush() throws { for shard in shards { try shard.output.flush() } }

  /// Removes the temporary files, even if they were to be kept.
  public func remove() { for shard in shards { shard.output.remove() } }

  /// True if all files that hold these records are there, as a writer with `isKept` left them.
  public static func hasKept(_ records: [WrittenRecord], at path: String) -> Bool {
    shards(of: records).allSatisfy { Path.exists(ShardOutput.keptPath(of: path, number: $0)) }
  }

  /// Takes their final names from files of `records`, all that a writer with `isKept` wrote, if it was interrupted while
  /// it gave them.
  public static func takeBack(_ records: [WrittenRecord], at path: String) {
    let shards = shards(of: records)
    for number in shards {
      let kept = ShardOutput.keptPath(of: path, number: number)
      let final = shards.count == 1 ? path : ShardName.path(base: path, number: number + 1, count: shards.count)
      if !Path.exists(kept) && Path.exists(final) { Path.move(final, to: kept) }
    }
  }

  private static func shards(of records: [WrittenRecord]) -> Range<Int> { 0..<(records.map(\.shard).max() ?? 0) + 1 }

  /// Writes bytes of an original file that belong to no tensor, in a record of their own.
  /// - Parameter compress: makes a zstd frame of a chunk; nil stores the bytes as they are.
  public func addBlob(
    _ bytes: [UInt8], compress: ((UnsafeRawBufferPointer) throws -> [UInt8])? = nil
  ) throws -> BlobID {
    guard open == nil, !isCommitted else { throw BaleWriterError.order("addBlob") }
    let layout = PartLayout(blob: bytes.count, isCompressed: compress != nil)
    try begin(.file, parts: [], layout: try RecordLayout(kind: .file, parts: [layout]))
    for index in 0..<layout.planes[0].chunkCount {
      let start = index * BaleConstants.wholeChunk
      let piece = Array(bytes[start..<min(bytes.count, start + BaleConstants.wholeChunk)])
      let chunk = try layout.chunk(plane: 0, index: index, bytes: piece, sha256: options.sha256) {
        try compress?($0) ?? Array($0)
      }
      try append(chunk, part: 0)
    }
    try endRecord()
    return BlobID(shard: shards.count - 1, plane: shard.tables.planes.count - 1)
  }

  /// Records the error that an encoding made: mean squared error over mean square, and the largest absolute error.
  public func setError(_ tensor: TensorID, relativeMSE: Double, maximum: Double) throws(BaleWriterError) {
    guard tensors.indices.contains(tensor.index) else { throw .order("setError") }
    guard relativeMSE.isFinite, maximum.isFinite, relativeMSE >= 0, maximum >= 0 else {
      throw .errorStatistic(tensors[tensor.index].name)
    }
    errors[tensor.index] = (relativeMSE, maximum)
  }

  /// Records an original file and where its bytes come from; its segments, in order, make up the whole file.
  /// - Parameters:
  ///   - name: a relative path that stays below the directory it is unpacked to.
  ///   - sha256: 32 bytes.
  public func addFile(
    name: String, size: Int, sha256: [UInt8], segments: [WrittenSegment]
  ) throws(BaleWriterError) {
    guard Path.isContained(name), sha256.count == 32 else { throw .fileName(name) }
    let total = segments.reduce(0) { $0 + $1.count }
    guard total == size else { throw .fileSize(name, segments: total, size: size) }
    guard fileNames.insert(Array(name.utf8)).inserted else { throw .duplicateFile(name) }
    files.append(FileDeclaration(name: name, size: size, sha256: sha256, segments: segments))
    shards[0].noteFile(name: name, segments: segments)
  }

  func checkReadyToCommit() throws(BaleWriterError) {
    guard open == nil, !isCommitted else { throw .order("commit") }
  }
}
