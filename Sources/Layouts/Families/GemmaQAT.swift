import ByteIO
import Codecs
import JSON
import Tensors

/// Gemma's quantization-aware checkpoints in transformers: codes of 2 or 4 bits, first in the lowest bits, with half
/// their range added, or of 8 bits signed; an F32 scale a row. Embeddings are named `embedding_quantized`.
struct GemmaQAT: Layout {
  let name = "Gemma QAT"

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    guard stored.configuration.method == "gemma" else { return [] }
    let linear = stored.ending(".weight").map { ($0.prefix, $0.tensor, "\($0.prefix).weight_scale") }
    let embeddings = stored.ending(".embedding_quantized").map {
      ($0.prefix, $0.tensor, "\($0.prefix).embedding_scale")
    }
    let rules = try rules(stored)
    return try (linear + embeddings).compactMap { module, codes, scaleName in
      guard [.u8, .i8].contains(codes.dtype), let scale = stored[scaleName] else { return nil }
      return try tensor(module, codes, scale, rules, stored)
    }
  }

  private func tensor(
    _ module: String, _ codes: StoredTensor, _ scale: StoredTensor, _ rules: [Rule], _ stored: StoredTensors
  ) throws -> LogicalTensor {
    let weight = "\(module).weight"
    let bits = try bits(module, codes, rules, stored)
    let (rows, bytes) = try stored.matrix(codes, of: weight)
    let columns = bytes * 8 / bits
    let type = try stored.scalarType(scale, of: weight)
    let grouping = try stored.grouping(by: scale, rows: rows, columns: columns, configured: nil, of: weight)
    let codec = try stored.naming(weight) { () throws(CodecError) in
      try IntegerForm.codec(bits: bits, grouping: grouping, scale: type, zero: .none)
    }
    let form: Arrangement.Form = try stored.naming(weight) { () throws(CodecError) in
      if codes.dtype == .i8 { return .same }
      return .packed(
        try PackedFields(rows: rows, columns: columns, field: bits, word: 8, change: .flip(1 << UInt32(bits - 1))))
    }
    return LogicalTensor(
      name: weight, shape: try stored.shape(Array(codes.shape.dropLast()) + [columns], of: weight), codec: codec,
      layout: "\(name) \(bits)-bit", planes: [.stored(codes, form), .stored(scale, .same)])
  }

  /// Modules whose names a pattern is found in, and their width.
  private struct Rule {
    var pattern: ModulePattern
    var bits: Int?
  }

  /// Patterns that a configuration may have.
  private static let mostRules = 1024

  private func rules(_ stored: StoredTensors) throws(LayoutError) -> [Rule] {
    let members = stored.configuration.quantization?["module_quant_configs"]?.object?.members ?? []
    guard members.count <= Self.mostRules else {
      throw stored.fault(.value("module_quant_configs has \(members.count) patterns"), nil)
    }
    var rules: [Rule] = []
    for member in members {
      guard let pattern = ModulePattern(member.key) else {
        throw stored.fault(
          .value("module_quant_configs has a pattern that can't be read: '\(member.key.prefix(80))'"), nil)
      }
      let bits = member.value["num_bits"] ?? member.value["weights"]?["num_bits"]
      rules.append(Rule(pattern: pattern, bits: bits?.int))
    }
    return rules
  }

  /// Bits a code: 8 for signed bytes, else what the configuration says for the module or for all.
  private func bits(
    _ module: String, _ codes: StoredTensor, _ rules: [Rule], _ stored: StoredTensors
  ) throws(LayoutError) -> Int {
    if codes.dtype == .i8 { return 8 }
    let own = rules.first { $0.pattern.matches(module) }?.bits
    guard let bits = own ?? stored.configuration.integer("num_bits"), [2, 4].contains(bits) else {
      throw stored.fault(.disagreement("'\(codes.name)' is packed, and no width of 2 or 4 bits is given"), codes.name)
    }
    return bits
  }
}
