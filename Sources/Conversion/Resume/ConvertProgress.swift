import ByteIO
import Pipeline

/// What is done of a conversion: the costs so far and, where it is to be continued later, the journal.
/// Used by one thread at a time: the consumer of the pipeline.
final class ConvertProgress: @unchecked Sendable {
  private(set) var statistics: [ErrorStatistics]
  private let journal: Journal?
  private let files: OutputFiles
  /// Bytes after which what is done is made durable and written down.
  private let interval: Int
  private var pending: [ErrorStatistics] = []
  private var pendingBytes = 0
  /// Pieces that the journal has.
  private(set) var written: Int

  /// - Parameter written: pieces that an earlier process did.
  init(outputs: Int, files: OutputFiles, journal: Journal?, written: Int, interval: Int) {
    statistics = Array(repeating: ErrorStatistics(), count: outputs)
    self.files = files
    self.journal = journal
    self.written = written
    self.interval = interval
  }

  /// Takes in a piece that an earlier process did.
  func recall(_ cost: ErrorStatistics, output: Int) { statistics[output].merge(cost) }

  /// Takes in the next piece. Throws `IOError`.
  func add(_ cost: ErrorStatistics, bytes: Int, output: Int) throws {
    statistics[output].merge(cost)
    guard journal != nil else { return }
    pending.append(cost)
    pendingBytes += bytes
    if pendingBytes >= interval { try save() }
  }

  /// Makes all pieces durable and writes them down. Throws `IOError`.
  func save() throws {
    guard let journal, !pending.isEmpty else { return }
    for file in files.tensors { try file.flush() }
    try journal.append(pending.map(\.bytes), from: written)
    written += pending.count
    pending = []
    pendingBytes = 0
  }
}
