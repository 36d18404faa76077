/// A chunk whose digest doesn't hold.
struct DamagedChunk: Sendable {
  var shard: Int
  /// Row of the chunk table.
  var index: Int
  var reason: BaleReason
}

/// Finds what damaged chunks of one file belong to, in one pass over its records.
struct DamageReport {
  let shard: Int
  let file: BaleFile.Shard

  /// The damage in file order, each with the records that hold the bytes, sharing ones included.
  func describe(_ chunks: [DamagedChunk]) -> [BaleDamage] {
    guard !chunks.isEmpty else { return [] }
    let directory = file.directory
    let sorted = chunks.sorted { directory.chunks[$0.index].offset < directory.chunks[$1.index].offset }
    var positions: [UInt64: Int] = [:]
    for (position, chunk) in sorted.enumerated() { positions[directory.chunks[chunk.index].offset] = position }
    var records = [[RecordID]](repeating: [], count: sorted.count)
    var tensors = [Set<String>](repeating: [], count: sorted.count)
    for (row, record) in directory.records.enumerated() {
      let first = Int(record.firstChunk)
      for index in first..<first + Int(record.chunkCount) where directory.chunks[index].extent > 0 {
        guard let position = positions[directory.chunks[index].offset] else { continue }
        records[position].append(RecordID(shard: shard, index: row))
        if let name = tensor(holding: index, in: record) { tensors[position].insert(name) }
      }
    }
    return sorted.indices.map { position in
      let chunk = directory.chunks[sorted[position].index]
      return BaleDamage(
        file: file.source.path, range: Int(chunk.offset)..<Int(chunk.offset) + Int(chunk.extent),
        reason: sorted[position].reason, records: records[position], tensors: tensors[position].sorted())
    }
  }

  private func tensor(holding chunk: Int, in record: RecordRow) -> String? {
    let directory = file.directory
    for index in Int(record.firstPlane)..<Int(record.firstPlane) + Int(record.planeCount) {
      let plane = directory.planes[index]
      guard plane.part != BaleConstants.none, chunk >= Int(plane.firstChunk),
        chunk < Int(plane.firstChunk) + Int(plane.chunkCount)
      else { continue }
      return directory.string(directory.tensors[directory.parts[plane.part].tensor].name)
    }
    return nil
  }
}
