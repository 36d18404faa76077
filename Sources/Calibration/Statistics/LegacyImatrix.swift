import ByteIO
import GGUF

/// An importance matrix in llama.cpp's format before GGUF (`imatrix.dat`): the number of entries, then for each a
/// name, the number of calls, and for each input the mean square times the number of calls, one row for each expert;
/// at the end, unless it is left out, the number of chunks and the name of the dataset. All numbers are little-endian,
/// lengths and counts I32, values F32.
struct LegacyImatrix {
  private(set) var contents: ImportanceMatrix.Contents
  private var position = 0

  /// The most bytes of a name: those of a GGUF tensor.
  private static let longestName = 64

  /// Reads all but the values. Throws `CalibrationError` or `IOError`.
  init(_ input: InputFile) throws {
    contents = ImportanceMatrix.Contents(input: input, entries: [:], datasets: [], chunks: 0)
    let count = try length(bytesEach: 12)
    guard count > 0 else { throw fault(.count(count)) }
    for _ in 0..<count {
      let (name, entry) = try entry()
      guard contents.entries.updateValue(entry, forKey: name) == nil else { throw fault(.text) }
    }
    try readEnd()
  }

  private var left: Int { contents.input.size - position }

  private func fault(_ reason: CalibrationReason) -> CalibrationError {
    CalibrationError(reason, file: contents.input.path, offset: position)
  }

  private mutating func take(_ count: Int) throws -> [UInt8] {
    guard count <= left else { throw fault(.truncated(need: count, left: left)) }
    defer { position += count }
    return try contents.input.bytes(position..<position + count)
  }

  private mutating func integer() throws -> Int {
    var cursor = ByteCursor(try take(4))
    return Int(cursor.integer(Int32.self) ?? 0)
  }

  /// A count of things of at least so many bytes, which must be left.
  private mutating func length(bytesEach: Int) throws -> Int {
    let count = try integer()
    guard count >= 0, count <= left / bytesEach else { throw fault(.truncated(need: count, left: left)) }
    return count
  }

  private mutating func entry() throws -> (String, ImportanceMatrix.Entry) {
    let length = try length(bytesEach: 1)
    guard length <= Self.longestName, let name = String(validating: try take(length), as: UTF8.self) else {
      throw fault(.text)
    }
    let calls = try integer()
    guard calls >= 0 else { throw fault(.count(calls)) }
    let values = try self.length(bytesEach: 4)
    guard values > 0 else { throw fault(.count(values)) }
    // llama.cpp takes the values as they are where there was no call.
    let entry = ImportanceMatrix.Entry(values: values, offset: position, counts: [Float(max(calls, 1))])
    position += values * 4
    return (name, entry)
  }

  private mutating func readEnd() throws {
    guard left > 0 else { return }
    contents.chunks = try integer()
    guard left > 0 else { return }
    let length = try length(bytesEach: 1)
    if length > 0 { contents.datasets = [GGUFString(bytes: try take(length))] }
  }
}
