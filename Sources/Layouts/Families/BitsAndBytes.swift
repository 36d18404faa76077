import ByteIO
import Codecs
import JSON
import Tensors

/// bitsandbytes' NF4 and FP4: codes of the flattened tensor, high nibble first, whatever dtype their bytes are given;
/// one F32 absmax a block, or bytes into a stored map that are themselves scaled by block ("double quantization").
/// The state is JSON text in `P.quant_state.bitsandbytes__nf4`; GPTQModel writes underscores for dots.
struct BitsAndBytes: Layout {
  let name = "bitsandbytes"

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    var found: [LogicalTensor] = []
    for tensor in stored.all {
      for table in Table4.allCases {
        let suffix = ".quant_state.bitsandbytes__\(table.rawValue)"
        guard tensor.name.hasSuffix(suffix) else { continue }
        let weight = String(tensor.name.dropLast(suffix.count))
        found.append(try self.tensor(weight, separator: ".", state: tensor, table, stored))
      }
      if tensor.name.hasSuffix("_quant_state"), stored[String(tensor.name.dropLast(12)) + "_absmax"] != nil {
        let weight = String(tensor.name.dropLast(12))
        found.append(try self.tensor(weight, separator: "_", state: tensor, nil, stored))
      }
    }
    let named = Set(found.map(\.name))
    for (weight, _) in stored.ending(".absmax") where stored[weight] != nil && !named.contains(weight) {
      throw stored.fault(.missing("\(weight).quant_state"), weight)
    }
    return found
  }

  private func tensor(
    _ weight: String, separator: String, state: StoredTensor, _ table: Table4?, _ stored: StoredTensors
  ) throws -> LogicalTensor {
    let facts = try State(parsing: stored.content(state), table: table, of: weight, stored)
    func part(_ name: String) throws(LayoutError) -> StoredTensor {
      try stored.required(weight + separator + name, of: weight)
    }
    let shape = try stored.shape(facts.shape, of: weight)
    let codec = try stored.naming(weight) { () throws(CodecError) in
      try NormalFloatCodec(facts.table, block: facts.block, second: facts.nested?.block)
    }
    var planes: [PlaneSource] = [.stored(try stored.required(weight, of: weight), .same)]
    planes.append(.stored(try part("absmax"), .same))
    var companions = [state] + [stored[weight + separator + "quant_map"]].compactMap { $0 }
    if let nested = facts.nested {
      let map = try part("nested_quant_map")
      try stored.check(map, [256], of: weight)
      try stored.check(map, [.f32], of: weight)
      planes.append(.stored(try part("nested_absmax"), .same))
      planes.append(.bytes(try stored.content(map) + littleEndian(nested.offset)))
      companions.append(map)
    }
    return LogicalTensor(
      name: weight, shape: shape, codec: codec, layout: "\(name) \(facts.table.rawValue.uppercased())",
      planes: planes, companions: companions)
  }

  private func littleEndian(_ value: Float) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) }
  }
}

extension BitsAndBytes {
  /// The JSON text of a quantization state.
  private struct State {
    var table: Table4
    var block: Int
    var shape: [Int]
    var nested: (block: Int, offset: Float)?

    init(parsing bytes: [UInt8], table: Table4?, of weight: String, _ stored: StoredTensors) throws(LayoutError) {
      let json: JSONValue
      do {
        json = try JSONValue(parsing: bytes)
      } catch {
        throw stored.fault(.value("its quantization state is not JSON: \(error)"), weight)
      }
      guard let named = (json["quant_type"]?.string).flatMap(Table4.init(rawValue:)) ?? table,
        table == nil || table == named, let block = json["blocksize"]?.int,
        let dimensions = json["shape"]?.array, !dimensions.isEmpty
      else { throw stored.fault(.value("its quantization state lacks quant_type, blocksize or shape"), weight) }
      let shape = dimensions.compactMap(\.int)
      guard shape.count == dimensions.count, shape.allSatisfy({ $0 >= 0 }) else {
        throw stored.fault(.value("its quantization state has no valid shape"), weight)
      }
      (self.table, self.block, self.shape) = (named, block, shape)
      guard let size = json["nested_blocksize"]?.int else { return }
      guard let offset = json["nested_offset"]?.double, json["nested_dtype"]?.string ?? "float32" == "float32" else {
        throw stored.fault(.value("its nested quantization lacks nested_offset in float32"), weight)
      }
      nested = (size, Float(offset))
    }
  }
}
