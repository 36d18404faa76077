import ByteIO
import GGUF

/// An importance matrix in GGUF.
struct GGUFImatrix {
  let contents: ImportanceMatrix.Contents
  private static let sums = ".in_sum2"
  private static let counts = ".counts"

  /// Reads all but the sums. Throws `CalibrationError`, `GGUFError` or `IOError`.
  init(_ path: String) throws {
    let file = try GGUFFile(path)
    for key in ["imatrix.datasets", "imatrix.chunk_count", "imatrix.chunk_size"] where !file.metadata.contains(key) {
      throw CalibrationError(.missingKey(key), file: path)
    }
    let isBigEndian = file.header.byteOrder == .big
    var entries: [String: ImportanceMatrix.Entry] = [:]
    for tensor in file.tensors {
      guard let name = Self.name(of: tensor, before: Self.sums) else {
        try Self.checkCounts(tensor, in: file)
        continue
      }
      guard let counts = file.header.tensor(named: name + Self.counts) else {
        throw CalibrationError(.unpaired, file: path, tensor: tensor.name)
      }
      try Self.check(tensor, counts, path)
      entries[name] = ImportanceMatrix.Entry(
        values: tensor.shape.elements, offset: tensor.range.lowerBound,
        counts: try Self.read(counts, of: file, isBigEndian: isBigEndian))
    }
    let datasets = file.metadata.strings("imatrix.datasets").map { $0.map { GGUFString(bytes: Array($0)) } }
    contents = ImportanceMatrix.Contents(
      input: file.input, entries: entries, datasets: datasets ?? [],
      chunks: file.metadata.integer("imatrix.chunk_count") ?? 0, isBigEndian: isBigEndian)
  }

  /// The name of the weight whose statistics the tensor holds.
  private static func name(of tensor: GGUFTensor, before suffix: String) -> String? {
    tensor.name.hasSuffix(suffix) ? String(tensor.name.dropLast(suffix.count)) : nil
  }

  private static func checkCounts(_ tensor: GGUFTensor, in file: GGUFFile) throws {
    guard let name = name(of: tensor, before: counts) else {
      throw CalibrationError(.name, file: file.path, tensor: tensor.name)
    }
    guard file.header.tensor(named: name + sums) != nil else {
      throw CalibrationError(.unpaired, file: file.path, tensor: tensor.name)
    }
  }

  private static func check(_ sums: GGUFTensor, _ counts: GGUFTensor, _ path: String) throws {
    for tensor in [sums, counts] where tensor.type != .f32 {
      throw CalibrationError(.dtype(expected: "F32", found: tensor.type.name), file: path, tensor: tensor.name)
    }
    guard counts.shape.elements > 0, sums.shape.elements > 0, sums.shape.elements % counts.shape.elements == 0 else {
      throw CalibrationError(.shape(counts.shape.dimensions), file: path, tensor: counts.name)
    }
  }

  /// Counts are whole numbers stored as F32.
  private static func read(_ tensor: GGUFTensor, of file: GGUFFile, isBigEndian: Bool) throws -> [Float] {
    var cursor = ByteCursor(try file.input.bytes(tensor.range))
    return try (0..<tensor.shape.elements).map { _ in
      let count = Float(bitPattern: cursor.integer(UInt32.self, bigEndian: isBigEndian) ?? 0)
      guard count.isFinite else { throw CalibrationError(.value(count), file: file.path, tensor: tensor.name) }
      return count.rounded(.toNearestOrAwayFromZero)
    }
  }
}
