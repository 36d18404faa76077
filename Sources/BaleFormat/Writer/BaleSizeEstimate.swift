import ByteIO

/// The size of a `.bale` file before a byte of it is written, from the same calls that the writer gets. Of one file;
/// each further shard adds a header, a trailer and its share of the directory.
public struct BaleSizeEstimate {
  private var position = BaleConstants.headerLength
  private var directory: DirectorySize
  /// True if the file will have exactly `size` bytes, unless it has equal records, which are stored once. False if a
  /// plane is compressed or variable: `size` then is the most that the file can take.
  public private(set) var isExact = true

  public init(metadata: [UInt8] = Array("{}".utf8), sha256: Bool = false) {
    directory = DirectorySize(hasSHA256: sha256)
    directory.addMetadata(metadata.count)
  }

  public mutating func declare(_ tensor: TensorDeclaration) { directory.addTensor(tensor) }

  /// Counts a record, the padding before it included. Throws `BaleWriterError.recordTooLarge` on overflow.
  public mutating func addRecord(_ kind: RecordKind, parts: [PartLayout]) throws(BaleWriterError) {
    try add(RecordLayout(kind: kind, parts: parts), parts: parts.count)
  }

  public mutating func addBlob(length: Int, isCompressed: Bool) throws(BaleWriterError) {
    try add(
      RecordLayout(kind: .file, parts: [PartLayout(blob: length, isCompressed: isCompressed)]), parts: 0)
  }

  private mutating func add(_ layout: RecordLayout, parts: Int) throws(BaleWriterError) {
    guard let start = position.roundedUp(to: layout.kind.alignment), let end = start.adding(layout.maximumLength)
    else { throw .recordTooLarge }
    if start > position { directory.addRecord(parts: 0, planes: 0, chunks: 1) }
    directory.addRecord(parts: parts, planes: layout.planes.count, chunks: layout.maximumChunkCount)
    position = end
    if !layout.isExact { isExact = false }
  }

  /// Counts a file of so many segments; of those that an arrangement makes, `arrangements` has the texts.
  public mutating func addFile(name: String, segments: Int, arrangements: [String]) {
    let plain = Array(repeating: WrittenSegment.zeros(0), count: segments - arrangements.count)
    directory.addFile(name: name, segments: plain + arrangements.map { .layout($0, TensorID(index: 0), 0..<0) })
  }

  /// Bytes of the file.
  public var size: Int { position + directory.length + BaleConstants.trailerLength }
}
