import ByteIO

/// How far a conversion is, in a small file beside the destination, so that another process can go on. It holds the
/// digest of the plan and, for each piece of work that is done, in their order, what quantizing cost. A piece is
/// written down only when its bytes are durable.
///
/// Bytes: "BALERUN1", the 32 bytes of the plan's digest; then for each piece three F64 (squared error, squared norm,
/// largest error) and the XXH3-64 of the piece's number (U64) and those 24 bytes. All numbers are little-endian.
final class ConvertJournal: Sendable {
  /// What the pieces that are done cost, when the journal was opened.
  let done: [ErrorStatistics]
  private let file: OutputFile

  private static let magic = Array("BALERUN1".utf8)
  private static let headerBytes = 40
  private static let recordBytes = 32

  /// Where the journal of a destination lies.
  static func path(of destination: String) -> String {
    let slashes = destination.reversed().prefix { $0 == "/" }.count
    return destination.dropLast(slashes) + ".partial-journal"
  }

  /// Opens the journal of a destination, or makes it. Throws `IOError`, or `ResumeError` for that of another plan.
  init(of destination: String, plan digest: [UInt8]) throws {
    let path = Self.path(of: destination)
    file = try OutputFile(path, keptAs: path, overwrite: true)
    let input = try InputFile(path)
    let bytes = try input.bytes(0..<input.size)
    // A process that ended before the header was whole had done nothing.
    let isWhole = bytes.count >= Self.headerBytes && bytes.starts(with: Self.magic)
    if isWhole && !bytes.dropFirst(Self.magic.count).starts(with: digest) { throw ResumeError(journal: path) }
    done = isWhole ? Self.records(bytes) : []
    if !isWhole { try file.write(Self.magic + digest, at: 0) }
    try file.truncate(to: Self.headerBytes + done.count * Self.recordBytes)
    try file.flush()
  }

  /// The records up to the first that isn't whole.
  private static func records(_ bytes: [UInt8]) -> [ErrorStatistics] {
    var records: [ErrorStatistics] = []
    var cursor = ByteCursor(bytes)
    _ = cursor.skip(headerBytes)
    while let record = cursor.slice(recordBytes) {
      let index = records.count
      var numbers = ByteCursor(Array(record))
      let values = (0..<3).map { _ in Double(bitPattern: numbers.integer(UInt64.self) ?? 0) }
      guard numbers.integer(UInt64.self) == digest(index, record.prefix(24)) else { break }
      var cost = ErrorStatistics()
      (cost.squaredError, cost.squaredNorm, cost.maximumError) = (values[0], values[1], values[2])
      records.append(cost)
    }
    return records
  }

  private static func digest(_ index: Int, _ values: ArraySlice<UInt8>) -> UInt64 {
    var bytes: [UInt8] = []
    bytes.append(littleEndian: UInt64(index))
    return XXH3.digest64(bytes + values)
  }

  /// Adds the pieces from number `first` on, whose bytes must be durable. Throws `IOError`.
  func append(_ costs: [ErrorStatistics], from first: Int) throws {
    var bytes: [UInt8] = []
    for (index, cost) in costs.enumerated() {
      let values = [cost.squaredError, cost.squaredNorm, cost.maximumError].reduce(into: [UInt8]()) {
        $0.append(littleEndian: $1.bitPattern)
      }
      bytes += values
      bytes.append(littleEndian: Self.digest(first + index, values[...]))
    }
    try file.write(bytes, at: Self.headerBytes + first * Self.recordBytes)
    try file.flush()
  }

  /// Forgets all pieces. Throws `IOError`.
  func clear() throws {
    try file.truncate(to: Self.headerBytes)
    try file.flush()
  }

  /// Removes the journal.
  func remove() { file.remove() }
}

/// The rest of an interrupted conversion lies where another is to be continued.
public struct ResumeError: Error, Equatable, CustomStringConvertible {
  /// Path of the journal that the interrupted conversion left.
  public var journal: String

  public var description: String {
    "\(journal): it is of another conversion (other options, or the source has changed); remove it to start over"
  }
}
