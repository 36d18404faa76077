import ByteIO
import Codecs
import Pipeline
import Tensors

/// An open `.bale` file, or a set of shards seen as one (specs/bale.md). Opening reads directories only and checks
/// them whole; every byte read later is checked against its digest before it is used. Any thread may call it.
public final class BaleFile: Sendable {
  let shards: [Shard]
  /// First row of each tensor by the bytes of the names; nil for a single file, where the rows are in that order.
  private let merged: [TensorRef]?
  private let experts = Lock<[ExpertKey: RecordID]?>(nil)

  struct Shard: Sendable {
    let source: any ByteSource
    let directory: Directory
  }

  struct TensorRef: Sendable {
    let shard: Int
    let row: Int
  }

  private struct ExpertKey: Hashable {
    var layer: Int
    var expert: Int
  }

  /// Opens a file, and with any shard of a set all of them. Throws `BaleError` or `IOError`.
  public convenience init(_ path: String) throws {
    let source = try InputFile(path)
    let first = Shard(source: source, directory: try Directory(source))
    try self.init(shards: ShardSet.complete(first))
  }

  /// Opens bytes from anywhere: one file, or all shards of a set in order.
  public convenience init(sources: [any ByteSource]) throws {
    try self.init(shards: try sources.map { Shard(source: $0, directory: try Directory($0)) })
  }

  init(shards: [Shard]) throws {
    self.shards = shards
    try ShardSet.check(shards)
    try ShardSet.checkExperts(shards)
    merged = shards.count == 1 ? nil : try ShardSet.merge(shards)
    try SegmentCheck(shards: shards).check()
  }

  // MARK: Tensors

  public var tensorCount: Int { merged?.count ?? shards[0].directory.tensors.count }

  /// The tensor at `index` of the order by the bytes of the names.
  public func tensor(at index: Int) -> BaleTensor { tensor(reference(index)) }

  public func tensor(named name: String) -> BaleTensor? {
    index(named: name).map { tensor(at: $0) }
  }

  /// All tensors, by the bytes of their names, each made when it is asked for.
  public var tensors: some RandomAccessCollection<BaleTensor> {
    (0..<tensorCount).lazy.map { self.tensor(at: $0) }
  }

  /// Indices of the tensors in the order in which the file holds them.
  public var storedOrder: [Int] {
    let keys = (0..<tensorCount).map { index -> (Int, UInt32, Int) in
      let reference = reference(index)
      let directory = shards[reference.shard].directory
      let part = directory.parts[directory.tensors[reference.row].firstPart]
      return (reference.shard, part.firstPlane, index)
    }
    return keys.sorted { $0 < $1 }.map(\.2)
  }

  /// Index of a tensor in the order by name.
  public func index(named name: String) -> Int? {
    var name = name
    return name.withUTF8 { text in
      let key = UnsafeRawBufferPointer(text)
      var low = 0
      var high = tensorCount
      while low < high {
        let middle = (low + high) / 2
        let order = Bytes.compare(nameBytes(reference(middle)), key)
        if order == 0 { return middle }
        if order < 0 { low = middle + 1 } else { high = middle }
      }
      return nil
    }
  }

  private func reference(_ index: Int) -> TensorRef { merged?[index] ?? TensorRef(shard: 0, row: index) }

  private func nameBytes(_ reference: TensorRef) -> UnsafeRawBufferPointer {
    let directory = shards[reference.shard].directory
    return directory.text(directory.tensors[reference.row].name)
  }

  func tensor(_ reference: TensorRef) -> BaleTensor {
    let own = RowView(shard: reference.shard, directory: shards[reference.shard].directory)
    let row = own.directory.tensors[reference.row]
    let name = own.directory.string(row.name)
    var parts = own.parts(of: row, name: name)
    if own.directory.partialTensors.contains(reference.row) {
      parts = ShardSet.rows(named: own.directory.text(row.name), in: shards).flatMap { found in
        let view = RowView(shard: found.shard, directory: shards[found.shard].directory)
        return view.parts(of: view.directory.tensors[found.row], name: name)
      }
      parts.sort { $0.range.lowerBound < $1.range.lowerBound }
    }
    return own.tensor(row, name: name, parts: parts)
  }

  // MARK: Records

  /// All records, in file order.
  public var records: [RecordID] {
    shards.enumerated().flatMap { shard, item in
      item.directory.records.indices.map { RecordID(shard: shard, index: $0) }
    }
  }

  public func record(_ id: RecordID) -> BaleRecord {
    RowView(shard: id.shard, directory: shards[id.shard].directory).record(id)
  }

  /// The record that holds an expert of a layer, both counted from 0.
  public func record(layer: Int, expert: Int) -> BaleRecord? {
    let key = ExpertKey(layer: layer, expert: expert)
    let id = experts.withLock { index in
      let known = index ?? expertIndex()
      index = known
      return known[key]
    }
    return id.map { record($0) }
  }

  private func expertIndex() -> [ExpertKey: RecordID] {
    var index: [ExpertKey: RecordID] = [:]
    for id in records {
      guard case .expert(let layer, let expert) = RecordKind(shards[id.shard].directory.records[id.index]) else {
        continue
      }
      index[ExpertKey(layer: layer, expert: expert)] = id
    }
    return index
  }

  // MARK: The file as a whole

  /// The JSON document that the writer stored.
  public var metadata: [UInt8] { shards[0].directory.metadata }

  /// SHA-256 of the directory of each file: it names the content.
  public var roots: [[UInt8]] { shards.map(\.directory.trailer.root) }

  /// Path and size of each file.
  public var fileSizes: [(path: String, size: Int)] { shards.map { ($0.source.path, $0.source.size) } }

  /// True if every chunk carries a SHA-256.
  public var hasSHA256: Bool { shards.allSatisfy { $0.directory.hasSHA256 } }
}
