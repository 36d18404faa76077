import ByteIO
import Safetensors
import Tensors

/// Statistics in a safetensors file, as `tools/collect_hessians.py` writes them (specs/calibration.md): for a weight
/// NAME of n inputs `NAME.hessian`, F32 [n, n], the mean of x x^T, or `NAME.diagonal`, F32 [n], its diagonal; and
/// `NAME.count`, I64, the tokens it is the mean of.
public struct HessianFile: CalibrationSource {
  public let file: SafetensorsFile
  public let names: [String]
  private let entries: [String: Entry]

  private struct Entry: Sendable {
    var statistics: SafetensorsTensor
    var isFull: Bool
    var tokens: Int
  }

  private enum Suffix: String, CaseIterable {
    case hessian = ".hessian"
    case diagonal = ".diagonal"
    case count = ".count"
  }

  /// Opens a file and reads its counts. Throws `CalibrationError`, `SafetensorsError` or `IOError`.
  public init(_ path: String) throws {
    let file = try SafetensorsFile(path)
    var statistics: [String: (tensor: SafetensorsTensor, isFull: Bool)] = [:]
    var counts: [String: Int] = [:]
    for tensor in file.tensors {
      guard let suffix = Suffix.allCases.first(where: { tensor.name.hasSuffix($0.rawValue) }) else {
        throw CalibrationError(.name, file: path, tensor: tensor.name)
      }
      let name = String(tensor.name.dropLast(suffix.rawValue.count))
      if suffix == .count {
        counts[name] = try Self.count(tensor, file)
      } else {
        try Self.check(tensor, isFull: suffix == .hessian, path)
        guard statistics.updateValue((tensor, suffix == .hessian), forKey: name) == nil else {
          throw CalibrationError(.twice, file: path, tensor: name)
        }
      }
    }
    if let alone = Set(statistics.keys).symmetricDifference(counts.keys).min() {
      throw CalibrationError(.unpaired, file: path, tensor: alone)
    }
    self.file = file
    names = statistics.keys.sorted()
    entries = statistics.reduce(into: [:]) { entries, found in
      entries[found.key] = Entry(
        statistics: found.value.tensor, isFull: found.value.isFull, tokens: counts[found.key] ?? 0)
    }
  }

  private static func check(_ tensor: SafetensorsTensor, isFull: Bool, _ path: String) throws {
    guard tensor.dtype == .f32 else {
      throw CalibrationError(
        .dtype(expected: DType.f32.rawValue, found: tensor.dtype.rawValue), file: path, tensor: tensor.name)
    }
    let dimensions = tensor.shape.dimensions
    guard dimensions.count == (isFull ? 2 : 1), dimensions.allSatisfy({ $0 == dimensions.first && $0 > 0 }) else {
      throw CalibrationError(.shape(dimensions), file: path, tensor: tensor.name)
    }
  }

  private static func count(_ tensor: SafetensorsTensor, _ file: SafetensorsFile) throws -> Int {
    guard tensor.dtype == .i64 else {
      throw CalibrationError(
        .dtype(expected: DType.i64.rawValue, found: tensor.dtype.rawValue), file: file.path, tensor: tensor.name)
    }
    guard tensor.shape.elements == 1 else {
      throw CalibrationError(.shape(tensor.shape.dimensions), file: file.path, tensor: tensor.name)
    }
    var cursor = ByteCursor(try file.bytes(of: tensor))
    let count = Int(cursor.integer(Int64.self) ?? 0)
    guard count >= 0 else { throw CalibrationError(.count(count), file: file.path, tensor: tensor.name) }
    return count
  }

  public func columns(of name: String) -> Int? { entries[name]?.statistics.shape.columns }

  public func tokens(of name: String) -> Int? { entries[name]?.tokens }

  public func hessian(of name: String) throws -> Hessian? {
    guard let entry = entries[name] else { return nil }
    let values = try file.floats(of: entry.statistics)
    return Hessian(
      columns: entry.statistics.shape.columns, moments: entry.isFull ? .full(values) : .diagonal(values),
      tokens: entry.tokens)
  }
}

extension SafetensorsFile {
  /// The values of an F32 tensor.
  fileprivate func floats(of tensor: SafetensorsTensor) throws -> [Float] {
    try [Float](unsafeUninitializedCapacity: tensor.shape.elements) { buffer, count in
      try input.read(at: tensor.bytes.lowerBound, into: UnsafeMutableRawBufferPointer(buffer))
      for index in buffer.indices { buffer[index] = Float(bitPattern: UInt32(littleEndian: buffer[index].bitPattern)) }
      count = tensor.shape.elements
    }
  }
}
