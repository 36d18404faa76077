import Calibration
import Checkpoints
import Codecs
import GGUF

/// The mean squares of an importance matrix of llama.cpp, under the names that a model has for its weights.
struct ImatrixStatistics: CalibrationSource {
  /// What the file holds of a GGUF tensor.
  struct Entry {
    /// One value for each input, expert after expert.
    var meanSquares: [Float]
    /// Tokens that reached each expert; nil where the file doesn't say.
    var tokens: [Int]?
  }

  private struct Place {
    var entry: Entry
    var expert: Int
    var columns: Int
  }

  private let places: [String: Place]
  let names: [String]

  /// - Parameter weights: the model's weights: the name of the GGUF tensor, the expert in it, and the weight's own name.
  init(_ entries: [String: Entry], weights: [(tensor: String, expert: Int, experts: Int, name: String)]) {
    var places: [String: Place] = [:]
    for weight in weights {
      guard let entry = entries[weight.tensor], entry.meanSquares.count % max(weight.experts, 1) == 0 else { continue }
      places[weight.name] = Place(
        entry: entry, expert: weight.expert, columns: entry.meanSquares.count / max(weight.experts, 1))
    }
    self.places = places
    names = places.keys.sorted()
  }

  func columns(of name: String) -> Int? { places[name]?.columns }

  func tokens(of name: String) -> Int? {
    guard let place = places[name], let tokens = place.entry.tokens else { return nil }
    return tokens.indices.contains(place.expert) ? tokens[place.expert] : nil
  }

  func hessian(of name: String) -> Hessian? {
    guard let place = places[name] else { return nil }
    let row = place.entry.meanSquares[place.expert * place.columns..<(place.expert + 1) * place.columns]
    return Hessian(columns: place.columns, moments: .diagonal(Array(row)), tokens: tokens(of: name))
  }
}

extension ImatrixStatistics {
  /// The entries of a `.dat` file.
  static func legacy(_ path: String) throws -> [String: Entry] {
    try LegacyImatrix(path).entries.reduce(into: [:]) { $0[$1.name] = Entry(meanSquares: $1.meanSquares) }
  }

  /// The entries of a GGUF file: for a tensor T the sums `T.in_sum2` of an expert's squared inputs, and the tokens
  /// `T.counts` that they are sums over. Throws `CalibrationError`.
  static func gguf(_ path: String) throws -> [String: Entry] {
    let file = try GGUFCheckpoint(path)
    let positions = Dictionary(file.tensors.enumerated().map { ($1.name, $0) }) { first, _ in first }
    var entries: [String: Entry] = [:]
    for tensor in file.tensors where tensor.name.hasSuffix(sums) {
      let name = String(tensor.name.dropLast(sums.count))
      guard let sum = positions[tensor.name], let count = positions[name + ".counts"] else {
        throw CalibrationError(.unpaired, file: path, tensor: tensor.name)
      }
      entries[name] = try entry(sums: floats(file, sum, path), counts: floats(file, count, path), path, name)
    }
    return entries
  }

  private static let sums = ".in_sum2"
  /// The most values of a tensor that is read: the inputs of a thousand experts.
  private static let largest = 1 << 26

  private static func floats(_ file: GGUFCheckpoint, _ tensor: Int, _ path: String) throws -> [Float] {
    let entry = file.tensors[tensor]
    guard (entry.codec as? PlainCodec)?.dtype == .f32 else {
      throw CalibrationError(.dtype(expected: "F32", found: entry.codec.shortName), file: path, tensor: entry.name)
    }
    guard entry.shape.elements <= largest else {
      throw CalibrationError(.shape(entry.shape.dimensions), file: path, tensor: entry.name)
    }
    return try SpanReader(file, tensor: tensor).values(0..<entry.shape.elements).withFloats { Array($0) }
  }

  private static func entry(sums: [Float], counts: [Float], _ path: String, _ name: String) throws -> Entry {
    guard !counts.isEmpty, sums.count % counts.count == 0 else {
      throw CalibrationError(.shape([sums.count, counts.count]), file: path, tensor: name)
    }
    if let bad = (sums + counts).first(where: { !$0.isFinite || $0 < 0 }) {
      throw CalibrationError(.value(bad), file: path, tensor: name)
    }
    let columns = sums.count / counts.count
    let means = sums.enumerated().map { $1 / max(counts[$0 / max(columns, 1)], 1) }
    return Entry(meanSquares: means, tokens: counts.map { Int(min($0, 0x1p52).rounded()) })
  }
}
