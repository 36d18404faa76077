import ByteIO

/// Writes down the records that are packed, when they are durable. Used by one thread at a time: the consumer of the
/// pipeline.
final class PackProgress: @unchecked Sendable {
  private let journal: Journal
  private let interval: Duration
  private var pending: [DoneRecord] = []
  private var written: Int
  private var last = ContinuousClock.now

  /// - Parameters:
  ///   - written: records that an earlier run did.
  ///   - interval: how long records wait to be written down together: flushing each would cost more than it saves.
  init(_ journal: Journal, written: Int, interval: Duration) {
    self.journal = journal
    self.written = written
    self.interval = interval
  }

  /// Takes in the next record; `flush` makes all that was packed durable. Throws `IOError`.
  func add(_ record: DoneRecord, flush: () throws -> Void) throws {
    pending.append(record)
    if ContinuousClock.now - last >= interval { try save(flush: flush) }
  }

  /// Writes down all that is packed. Throws `IOError`.
  func save(flush: () throws -> Void) throws {
    guard !pending.isEmpty else { return }
    try flush()
    try journal.append(pending.map(\.bytes), from: written)
    written += pending.count
    pending = []
    last = .now
  }
}
