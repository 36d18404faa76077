import ByteIO

/// Turns the tables of one file into the bytes of its directory. The same tables give the same bytes.
struct DirectoryBuilder {
  let tensors: [TensorDeclaration]
  let errors: [Int: (relativeMSE: Double, maximum: Double)]
  let tables: ShardTables
  let hasSHA256: Bool
  /// Indices in `tensors` of those with a part here, by the bytes of their names: the rows of TENS.
  let order: [Int]

  private var strings: [UInt8] = []
  private var encodings: [String: Int] = [:]
  private var arrangements: [String: TextReference] = [:]
  private var encodingRows: [UInt8] = []

  init(
    tensors: [TensorDeclaration], errors: [Int: (relativeMSE: Double, maximum: Double)], tables: ShardTables,
    hasSHA256: Bool
  ) {
    self.tensors = tensors
    self.errors = errors
    self.tables = tables
    self.hasSHA256 = hasSHA256
    order = Set(tables.parts.map(\.tensor)).sorted {
      tensors[$0].name.utf8.lexicographicallyPrecedes(tensors[$1].name.utf8)
    }
  }

  /// - Parameters:
  ///   - files: what goes into FILE; empty in all shards but the first.
  ///   - place: finds the shard number and the row of what a segment names.
  mutating func build(
    metadata: [UInt8], files: [FileDeclaration], shard: ShardRow?, place: (WrittenSegment) -> (shard: Int, row: Int)
  ) throws(BaleWriterError) -> [UInt8] {
    let partOrder = sortedParts()
    let tensorRows = try tensorTables(partOrder)
    let fileRows = try fileTables(files, place: place)
    var newIndex = [Int](repeating: 0, count: partOrder.count)
    for (new, old) in partOrder.enumerated() { newIndex[old] = new }
    var sections: [(SectionTag, [UInt8])] = [
      (.strings, strings), (.tensors, tensorRows.tensors), (.dimensions, tensorRows.dimensions),
      (.parts, tensorRows.parts), (.records, Self.bytes(tables.records)), (.planes, planeTable(newIndex)),
      (.chunks, Self.bytes(tables.chunks)), (.encodings, encodingRows), (.metadata, metadata),
      (.files, fileRows.files), (.segments, fileRows.segments),
    ]
    if let shard { sections.append((.shard, Self.bytes([shard]))) }
    if hasSHA256 { sections.append((.sha256, tables.sha256)) }
    return DirectorySections.assemble(sections)
  }

  private static func bytes<Row: DirectoryRow>(_ rows: [Row]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(rows.count * Row.length)
    for row in rows { row.append(to: &result) }
    return result
  }

  /// Indices of the pending parts, by tensor row and first index.
  private func sortedParts() -> [Int] {
    var rank = [Int](repeating: 0, count: tensors.count)
    for (row, tensor) in order.enumerated() { rank[tensor] = row }
    return tables.parts.indices.sorted {
      let (a, b) = (tables.parts[$0], tables.parts[$1])
      return (rank[a.tensor], a.row.first, $0) < (rank[b.tensor], b.row.first, $1)
    }
  }

  private mutating func tensorTables(
    _ partOrder: [Int]
  ) throws(BaleWriterError) -> (tensors: [UInt8], dimensions: [UInt8], parts: [UInt8]) {
    var result: (tensors: [UInt8], dimensions: [UInt8], parts: [UInt8]) = ([], [], [])
    var part = 0
    for (row, index) in order.enumerated() {
      let firstPart = part
      while part < partOrder.count, tables.parts[partOrder[part]].tensor == index {
        var pending = tables.parts[partOrder[part]].row
        pending.tensor = UInt32(row)
        pending.append(to: &result.parts)
        part += 1
      }
      let firstDimension = result.dimensions.count / 8
      for dimension in tensors[index].shape.dimensions { result.dimensions.append(littleEndian: UInt64(dimension)) }
      guard firstDimension < Int(UInt32.max) else { throw .directoryTooLarge }
      try tensorRow(index, firstDimension: firstDimension, parts: firstPart..<part).append(to: &result.tensors)
    }
    return result
  }

  private mutating func tensorRow(
    _ index: Int, firstDimension: Int, parts: Range<Int>
  ) throws(BaleWriterError) -> TensorRow {
    let tensor = tensors[index]
    let error = errors[index]
    return TensorRow(
      name: try text(tensor.name), firstDimension: UInt32(firstDimension), rank: UInt8(tensor.shape.rank),
      dtype: DTypeCode.code(tensor.dtype),
      flags: (tensor.isLossless ? TensorRow.lossless : 0) | (error == nil ? 0 : TensorRow.measured),
      encoding: UInt32(try encoding(tensor.encoding)), firstPart: UInt32(parts.lowerBound),
      partCount: UInt32(parts.count), relativeMSE: error?.relativeMSE ?? 0, maximumError: error?.maximum ?? 0)
  }

  private mutating func encoding(_ descriptor: String) throws(BaleWriterError) -> Int {
    if let index = encodings[descriptor] { return index }
    let index = encodings.count
    try text(descriptor).append(to: &encodingRows)
    encodings[descriptor] = index
    return index
  }

  /// Many segments share an arrangement, whose text is stored once.
  private mutating func arrangement(_ string: String) throws(BaleWriterError) -> TextReference {
    if let known = arrangements[string] { return known }
    let reference = try text(string)
    arrangements[string] = reference
    return reference
  }

  private mutating func text(_ string: String) throws(BaleWriterError) -> TextReference {
    let start = strings.count
    strings.append(contentsOf: string.utf8)
    guard strings.count <= Int(UInt32.max) else { throw .directoryTooLarge }
    return TextReference(offset: UInt32(start), count: UInt32(strings.count - start))
  }

  private func planeTable(_ newIndex: [Int]) -> [UInt8] {
    Self.bytes(
      tables.planes.map { plane in
        guard plane.part != BaleConstants.none else { return plane }
        var plane = plane
        plane.part = UInt32(newIndex[Int(plane.part)])
        return plane
      })
  }

  private mutating func fileTables(
    _ files: [FileDeclaration], place: (WrittenSegment) -> (shard: Int, row: Int)
  ) throws(BaleWriterError) -> (files: [UInt8], segments: [UInt8]) {
    var result: (files: [UInt8], segments: [UInt8]) = ([], [])
    var first = 0
    for file in files {
      FileRow(
        name: try text(file.name), size: UInt64(file.size), sha256: file.sha256, firstSegment: UInt32(first),
        segmentCount: UInt32(file.segments.count)
      ).append(to: &result.files)
      first += file.segments.count
      guard first <= Int(UInt32.max) else { throw .directoryTooLarge }
      for segment in file.segments {
        let target = place(segment)
        try segmentRow(segment, shard: target.shard, row: target.row).append(to: &result.segments)
      }
    }
    return result
  }

  private mutating func segmentRow(
    _ segment: WrittenSegment, shard: Int, row: Int
  ) throws(BaleWriterError) -> SegmentRow {
    var result = SegmentRow(
      kind: SegmentRow.Kind.zeros.rawValue, shard: UInt16(truncatingIfNeeded: shard), index: UInt32(row), offset: 0,
      count: UInt64(segment.count), layout: TextReference(offset: 0, count: 0))
    switch segment {
    case .zeros: break
    case .blob(_, let range): (result.kind, result.offset) = (SegmentRow.Kind.blob.rawValue, UInt64(range.lowerBound))
    case .tensor(_, let range):
      (result.kind, result.offset) = (SegmentRow.Kind.tensor.rawValue, UInt64(range.lowerBound))
    case .layout(let name, _, let range):
      (result.kind, result.offset) = (SegmentRow.Kind.layout.rawValue, UInt64(range.lowerBound))
      result.layout = try arrangement(name)
    }
    return result
  }
}
