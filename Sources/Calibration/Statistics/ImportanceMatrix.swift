import ByteIO
import GGUF

/// An importance matrix as llama-imatrix writes it: for each weight the mean squares of its inputs, by GGUF's names.
/// Read from GGUF (`NAME.in_sum2` and `NAME.counts`), or from the format before it (specs/calibration.md). Values stay
/// in the file until they are asked for.
public struct ImportanceMatrix: Sendable {
  public let path: String
  /// The names of the texts that it was made from.
  public let datasets: [GGUFString]
  /// Chunks of text that it was made from; 0 if the file doesn't say.
  public let chunks: Int
  private let input: InputFile
  private let entries: [String: Entry]
  private let isBigEndian: Bool

  /// Where the statistics of one weight lie.
  public struct Entry: Sendable, Equatable {
    /// Number of values: the weight's inputs, for each expert in turn.
    public var values: Int
    /// Offset in the file of the first.
    var offset: Int
    /// What the values are divided by, one for each of as many equal parts. Where it is 0, nothing reached the part,
    /// and each value is 1.
    var counts: [Float]
  }

  /// Opens a file. Throws `CalibrationError`, `GGUFError` or `IOError`, also for values that are no sums of squares.
  public init(_ path: String) throws {
    let input = try InputFile(path)
    let isGGUF = try input.size >= 4 && input.bytes(0..<4) == Array("GGUF".utf8)
    self.init(try isGGUF ? GGUFImatrix(path).contents : LegacyImatrix(input).contents)
    try checkValues()
  }

  /// What the file of either format holds.
  struct Contents {
    var input: InputFile
    var entries: [String: Entry]
    var datasets: [GGUFString]
    var chunks: Int
    var isBigEndian = false
  }

  private init(_ contents: Contents) {
    path = contents.input.path
    input = contents.input
    entries = contents.entries
    datasets = contents.datasets
    chunks = contents.chunks
    isBigEndian = contents.isBigEndian
  }

  /// The number of weights that have an entry.
  public var count: Int { entries.count }

  public var names: [String] { entries.keys.sorted() }

  public func entry(named name: String) -> Entry? { entries[name] }

  /// Mean squares: values `range` of an entry. Throws `IOError` or `SourceChanged`.
  public func meanSquares(_ range: Range<Int>, of entry: Entry) throws -> [Float] {
    let part = entry.values / entry.counts.count
    return try sums(range, of: entry).enumerated().map { index, sum in
      let count = entry.counts[(range.lowerBound + index) / part]
      return count > 0 ? sum / count : 1
    }
  }

  private func sums(_ range: Range<Int>, of entry: Entry) throws -> [Float] {
    let bytes = try input.bytes(entry.offset + range.lowerBound * 4..<entry.offset + range.upperBound * 4)
    return bytes.withUnsafeBytes { raw in
      (0..<range.count).map { index in
        let bits = raw.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self)
        return Float(bitPattern: isBigEndian ? UInt32(bigEndian: bits) : UInt32(littleEndian: bits))
      }
    }
  }

  /// Looks at every value once, a piece at a time.
  private func checkValues() throws {
    for (name, entry) in entries.sorted(by: { $0.value.offset < $1.value.offset }) {
      for start in stride(from: 0, to: entry.values, by: 1 << 16) {
        let sums = try sums(start..<min(start + 1 << 16, entry.values), of: entry)
        guard let bad = sums.firstIndex(where: { !$0.isFinite || $0 < 0 }) else { continue }
        throw CalibrationError(
          .value(sums[bad]), file: path, tensor: name, offset: entry.offset + (start + bad) * 4)
      }
    }
  }

  /// The diagonal of one expert of a weight of `columns` inputs (0 for a weight without experts), or nil if the entry
  /// isn't there or has no such row. Throws `IOError`.
  public func diagonal(of name: String, columns: Int, expert: Int = 0) throws -> Hessian? {
    guard columns > 0, expert >= 0, let entry = entries[name], entry.values % columns == 0,
      expert < entry.values / columns
    else { return nil }
    let row = try meanSquares(expert * columns..<(expert + 1) * columns, of: entry)
    return Hessian(columns: columns, moments: .diagonal(row), tokens: nil)
  }
}
