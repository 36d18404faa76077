import ByteIO

extension BaleWriter {
  /// Writes directories and trailers, flushes, and gives the files their names. Throws `BaleWriterError` or
  /// `IOError`; nothing of the output is then left, except files that it had been told to replace.
  public func commit() throws -> [Written] {
    try checkReadyToCommit()
    isCommitted = true
    try checkParts()
    let paths = finalPaths()
    var written: [Written] = []
    for (index, directory) in try directories().enumerated() {
      let trailer = try finish(shards[index], directory: directory)
      written.append(Written(path: paths[index], size: trailer.fileLength, root: trailer.root))
    }
    try publish(written)
    return written
  }

  private func publish(_ written: [Written]) throws {
    var published: [String] = []
    do {
      for (shard, file) in zip(shards, written) {
        try shard.output.commit(length: file.size, as: file.path)
        published.append(file.path)
      }
    } catch {
      for path in published { Path.remove(path) }
      throw error
    }
  }

  private func finish(_ shard: ShardOutput, directory: [UInt8]) throws -> Trailer {
    let trailer = Trailer(
      directoryOffset: shard.position, directoryLength: directory.count,
      directoryDigest: directory.withUnsafeBytes { XXH3.digest128($0) }, root: SHA256.digest(directory),
      fileLength: shard.position + directory.count + BaleConstants.trailerLength)
    try shard.output.write(directory, at: trailer.directoryOffset)
    try shard.output.write(FileFrame.trailer(trailer), at: trailer.directoryOffset + trailer.directoryLength)
    return trailer
  }

  /// `NAME.bale`, or `NAME-00001-of-00003.bale` and so on where there are several.
  private func finalPaths() -> [String] {
    guard shards.count > 1 else { return [path] }
    return (1...shards.count).map { ShardName.path(base: path, number: $0, count: shards.count) }
  }

  /// Every tensor's parts, over all shards, cover its first dimension exactly once.
  private func checkParts() throws(BaleWriterError) {
    var ranges: [[Range<UInt64>]] = Array(repeating: [], count: tensors.count)
    for shard in shards {
      for part in shard.tables.parts { ranges[part.tensor].append(part.row.first..<part.row.first + part.row.count) }
    }
    for (tensor, parts) in zip(tensors, ranges) {
      var end: UInt64 = 0
      for part in parts.sorted(by: { ($0.lowerBound, $0.upperBound) < ($1.lowerBound, $1.upperBound) }) {
        guard part.lowerBound == end, !part.isEmpty || tensor.firstDimension == 0 else { throw .parts(tensor.name) }
        end = part.upperBound
      }
      guard end == UInt64(tensor.firstDimension), !parts.isEmpty, end > 0 || parts.count == 1 else {
        throw .parts(tensor.name)
      }
    }
  }

  private func directories() throws(BaleWriterError) -> [[UInt8]] {
    let plain = try directories(set: nil)
    guard shards.count > 1 else { return plain }
    let set = SHA256()
    for directory in plain { set.update(SHA256.digest(directory)) }
    return try directories(set: Array(set.finish().prefix(16)))
  }

  private func directories(set: [UInt8]?) throws(BaleWriterError) -> [[UInt8]] {
    var builders = shards.map {
      DirectoryBuilder(tensors: tensors, errors: errors, tables: $0.tables, hasSHA256: options.sha256)
    }
    let homes = tensorHomes(builders)
    let isSet = shards.count > 1
    var result: [[UInt8]] = []
    for index in builders.indices {
      let shard = set.map { ShardRow(set: $0, number: UInt32(index + 1), count: UInt32(shards.count)) }
      let directory = try builders[index].build(
        metadata: index == 0 ? options.metadata : [], files: index == 0 ? files : [], shard: shard
      ) { segment in
        switch segment {
        case .zeros: (0, 0)
        case .blob(let blob, _): (isSet ? blob.shard + 1 : 0, blob.plane)
        case .tensor(let tensor, _), .layout(_, let tensor, _):
          (isSet ? homes[tensor.index].shard + 1 : 0, homes[tensor.index].row)
        }
      }
      result.append(directory)
    }
    return result
  }

  /// For each tensor the first shard that holds a part of it, and its row there.
  private func tensorHomes(_ builders: [DirectoryBuilder]) -> [(shard: Int, row: Int)] {
    var homes = [(shard: Int, row: Int)](repeating: (-1, 0), count: tensors.count)
    for (shard, builder) in builders.enumerated() {
      for (row, tensor) in builder.order.enumerated() where homes[tensor].shard < 0 { homes[tensor] = (shard, row) }
    }
    return homes
  }
}
