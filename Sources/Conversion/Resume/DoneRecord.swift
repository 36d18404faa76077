import BaleFormat
import ByteIO

/// A record that a run has packed: what the writer has to know of it, and what its tensors have come to by its end.
struct DoneRecord: Equatable {
  /// What a tensor has come to.
  struct Cost: Equatable {
    var statistics: ErrorStatistics
    var outputError: OutputError
    var storedBytes: Int
  }

  var written: WrittenRecord
  /// By part.
  var costs: [Cost]

  init(written: WrittenRecord, costs: [Cost]) {
    self.written = written
    self.costs = costs
  }

  /// The written record; then for each part its statistics, the two F64 of its output's error, and its stored bytes (U64).
  var bytes: [UInt8] {
    costs.reduce(into: written.bytes) { bytes, cost in
      bytes += cost.statistics.bytes
      bytes.append(littleEndian: cost.outputError.squaredError.bitPattern)
      bytes.append(littleEndian: cost.outputError.squaredNorm.bitPattern)
      bytes.append(littleEndian: UInt64(cost.storedBytes))
    }
  }

  /// Reads `bytes` back. Nil if they are anything else.
  init?(_ bytes: [UInt8]) {
    var cursor = ByteCursor(bytes)
    guard let written = WrittenRecord(&cursor) else { return nil }
    self.written = written
    costs = []
    while cursor.remaining > 0 {
      guard let statistics = ErrorStatistics(&cursor), let error = cursor.integer(UInt64.self),
        let norm = cursor.integer(UInt64.self),
        let stored = cursor.integer(UInt64.self).flatMap({ Int(exactly: $0) })
      else { return nil }
      costs.append(
        Cost(
          statistics: statistics,
          outputError: OutputError(
            squaredError: Double(bitPattern: error), squaredNorm: Double(bitPattern: norm)),
          storedBytes: stored))
    }
  }
}
