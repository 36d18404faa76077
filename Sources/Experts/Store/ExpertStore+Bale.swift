import BaleFormat

/// A `.bale` file that holds no such expert.
public struct MissingExpert: Error, Equatable, CustomStringConvertible {
  public var id: ExpertID

  public var description: String { "the file has no record of layer \(id.layer), expert \(id.expert)" }
}

extension ExpertStore where Expert == RecordContent {
  /// A store over a `.bale` file: each expert is one aligned read, checked against its digests.
  public convenience init(_ file: BaleFile, capacity: Int, threads: Int = 2) {
    self.init(capacity: capacity, threads: threads) { id in
      guard let record = file.record(layer: id.layer, expert: id.expert) else { throw MissingExpert(id: id) }
      return (try file.readRecord(record), record.range.count)
    }
  }
}
