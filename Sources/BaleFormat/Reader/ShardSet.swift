import ByteIO

/// The files of a set seen together.
enum ShardSet {
  /// The set that `first` belongs to: itself, or all shards beside it. Throws `BaleError` or `IOError`.
  static func complete(_ first: BaleFile.Shard) throws -> [BaleFile.Shard] {
    guard let own = first.directory.shard else { return [first] }
    let count = Int(own.count)
    return try (1...count).map { number in
      if number == Int(own.number) { return first }
      guard
        let path = ShardName.sibling(of: first.source.path, own: Int(own.number), number: number, count: count)
      else { throw BaleError(.shardName(number: Int(own.number), count: count), file: first.source.path) }
      guard Path.exists(path) else { throw BaleError(.shardMissing(path), file: first.source.path) }
      let source = try InputFile(path)
      return BaleFile.Shard(source: source, directory: try Directory(source))
    }
  }

  /// All shards of one set, in order. Throws `BaleError`.
  static func check(_ shards: [BaleFile.Shard]) throws(BaleError) {
    guard let first = shards.first else { throw BaleError(.shardMissing(""), file: "") }
    guard let set = first.directory.shard else {
      guard shards.count == 1 else { throw BaleError(.shardMismatch(number: 2), file: shards[1].source.path) }
      return
    }
    for (index, shard) in shards.enumerated() {
      guard let own = shard.directory.shard, own.set == set.set, own.count == set.count, own.number == index + 1 else {
        throw BaleError(.shardMismatch(number: index + 1), file: shard.source.path)
      }
    }
    guard shards.count == Int(set.count) else {
      throw BaleError(.shardMissing("\(shards.count + 1) of \(set.count)"), file: first.source.path)
    }
  }

  /// Each expert of a layer is in one record. Throws `BaleError`.
  static func checkExperts(_ shards: [BaleFile.Shard]) throws(BaleError) {
    var seen: Set<UInt64> = []
    for shard in shards {
      for (row, record) in shard.directory.records.enumerated() where record.layer != BaleConstants.none {
        guard seen.insert(UInt64(record.layer) << 32 | UInt64(record.expert)).inserted else {
          throw BaleError(.recordExpertRepeated(row: row), file: shard.source.path)
        }
      }
    }
  }

  /// The tensors of all shards by name, each at the first shard that has a part of it. Throws `BaleError` if shards
  /// contradict each other.
  static func merge(_ shards: [BaleFile.Shard]) throws(BaleError) -> [BaleFile.TensorRef] {
    var all: [BaleFile.TensorRef] = []
    for (shard, item) in shards.enumerated() {
      all += item.directory.tensors.indices.map { BaleFile.TensorRef(shard: shard, row: $0) }
    }
    func name(_ item: BaleFile.TensorRef) -> UnsafeRawBufferPointer {
      let directory = shards[item.shard].directory
      return directory.text(directory.tensors[item.row].name)
    }
    all.sort {
      let order = Bytes.compare(name($0), name($1))
      return order == 0 ? $0.shard < $1.shard : order < 0
    }
    var result: [BaleFile.TensorRef] = []
    var start = 0
    while start < all.count {
      var end = start + 1
      while end < all.count, Bytes.compare(name(all[start]), name(all[end])) == 0 { end += 1 }
      try checkTogether(all[start..<end], shards)
      result.append(all[start])
      start = end
    }
    return result
  }

  /// Rows of one tensor in several shards agree and cover it exactly once.
  private static func checkTogether(
    _ rows: ArraySlice<BaleFile.TensorRef>, _ shards: [BaleFile.Shard]
  ) throws(BaleError) {
    guard let first = rows.first else { return }
    let own = shards[first.shard].directory
    if rows.count == 1 && !own.partialTensors.contains(first.row) { return }
    let views = rows.map { item in
      let view = RowView(shard: item.shard, directory: shards[item.shard].directory)
      let row = view.directory.tensors[item.row]
      let name = view.directory.string(row.name)
      return view.tensor(row, name: name, parts: view.parts(of: row, name: name))
    }
    let tensor = views[0]
    var end = 0
    for range in views.flatMap({ $0.parts.map(\.range) }).sorted(by: { $0.lowerBound < $1.lowerBound }) {
      guard range.lowerBound == end else { end = -1; break }
      end = range.upperBound
    }
    guard end == tensor.shape.dimensions.first ?? 1, views.allSatisfy({ isSame($0, tensor) }) else {
      throw BaleError(
        .shardMismatch(number: first.shard + 1), file: shards[first.shard].source.path, tensor: tensor.name)
    }
  }

  private static func isSame(_ a: BaleTensor, _ b: BaleTensor) -> Bool {
    a.shape == b.shape && a.dtype == b.dtype && a.encoding == b.encoding && a.isLossless == b.isLossless
      && a.error == b.error
  }

  /// The rows of the tensor with this name, one at most in each shard.
  static func rows(named name: UnsafeRawBufferPointer, in shards: [BaleFile.Shard]) -> [BaleFile.TensorRef] {
    shards.enumerated().compactMap { shard, item in
      let directory = item.directory
      var low = 0
      var high = directory.tensors.count
      while low < high {
        let middle = (low + high) / 2
        let order = Bytes.compare(directory.text(directory.tensors[middle].name), name)
        if order == 0 { return BaleFile.TensorRef(shard: shard, row: middle) }
        if order < 0 { low = middle + 1 } else { high = middle }
      }
      return nil
    }
  }
}
