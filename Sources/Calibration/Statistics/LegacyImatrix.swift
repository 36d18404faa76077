import ByteIO

/// An importance matrix in llama.cpp's format before GGUF (`imatrix.dat`): the number of entries, then for each a
/// name, the number of calls, and for each input the mean square times the number of calls, one row for each expert.
/// All numbers are little-endian, lengths and counts I32, values F32. Names are GGUF's.
public struct LegacyImatrix: Sendable {
  /// The mean squares of the inputs of one weight.
  public struct Entry: Sendable, Equatable {
    public var name: String
    /// One value for each input, of each expert in turn.
    public var meanSquares: [Float]
  }

  public let entries: [Entry]

  /// The most bytes of a name: those of a GGUF tensor.
  private static let longestName = 64

  /// Reads a file. Throws `CalibrationError` or `IOError`. What follows the entries (the last chunk, the name of the
  /// dataset) is left alone.
  public init(_ path: String) throws {
    let input = try InputFile(path)
    var reader = Reader(cursor: ByteCursor(try input.bytes(0..<input.size)), path: path)
    let count = try reader.length(bytesEach: 12)
    var entries: [Entry] = []
    var seen: Set<String> = []
    for _ in 0..<count {
      let entry = try reader.entry(longestName: Self.longestName)
      guard seen.insert(entry.name).inserted else { throw reader.fault(.text) }
      entries.append(entry)
    }
    self.entries = entries
  }

  private struct Reader {
    var cursor: ByteCursor
    let path: String

    func fault(_ reason: CalibrationReason) -> CalibrationError {
      CalibrationError(reason, file: path, offset: cursor.position)
    }

    mutating func integer() throws -> Int {
      guard let value = cursor.integer(Int32.self) else {
        throw fault(.truncated(need: 4, left: cursor.remaining))
      }
      return Int(value)
    }

    /// A count of things of at least so many bytes, which must be left.
    mutating func length(bytesEach: Int) throws -> Int {
      let count = try integer()
      guard count >= 0, count <= cursor.remaining / bytesEach else {
        throw fault(.truncated(need: count, left: cursor.remaining))
      }
      return count
    }

    mutating func entry(longestName: Int) throws -> Entry {
      let length = try length(bytesEach: 1)
      guard length <= longestName, let bytes = cursor.slice(length), let name = String(validating: bytes, as: UTF8.self)
      else { throw fault(.text) }
      let calls = try integer()
      guard calls > 0 else { throw fault(.count(calls)) }
      var values: [Float] = []
      for _ in 0..<(try self.length(bytesEach: 4)) {
        let value = Float(bitPattern: cursor.integer(UInt32.self) ?? 0)
        guard value.isFinite, value >= 0 else { throw fault(.value(value)) }
        values.append(value / Float(calls))
      }
      return Entry(name: name, meanSquares: values)
    }
  }

  /// The diagonal of one expert of a weight of `columns` inputs (0 for a weight without experts), or nil if the entry
  /// isn't there or has no such row.
  public func diagonal(of name: String, columns: Int, expert: Int = 0) -> Hessian? {
    guard columns > 0, expert >= 0, let entry = entries.first(where: { $0.name == name }),
      entry.meanSquares.count % columns == 0, expert < entry.meanSquares.count / columns
    else { return nil }
    let row = entry.meanSquares[expert * columns..<(expert + 1) * columns]
    return Hessian(columns: columns, moments: .diagonal(Array(row)), tokens: nil)
  }
}
