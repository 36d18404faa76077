import GGUF
import JSON

/// Writes the architecture's keys. A key that is written again keeps its place and gets the new value.
struct KeyWriter {
  let family: ArchitectureFamily
  var parameters: HyperParameters
  let rotary: RotaryParameters
  let type: Int
  let layers: Int
  var metadata: GGUFMetadata

  mutating func write(_ rules: [KeyRule]) throws(ArchitectureError) {
    for rule in rules { try write(rule) }
  }

  mutating func set(_ key: String, _ integer: Int) throws(ArchitectureError) {
    guard let value = UInt32(exactly: integer) else { throw .parameter(key, "is not a whole number below 2^32") }
    metadata["\(family.name).\(key)"] = .uint32(value)
  }

  mutating func set(_ key: String, _ float: Double) { metadata["\(family.name).\(key)"] = .float32(Float(float)) }

  mutating func set(_ key: String, _ bool: Bool) { metadata["\(family.name).\(key)"] = .bool(bool) }

  mutating func set(_ key: String, _ text: String) { metadata["\(family.name).\(key)"] = .string(text) }

  private mutating func write(_ rule: KeyRule) throws(ArchitectureError) {
    switch rule {
    case .standard: try writeStandard()
    case .integer(let key, let names): if let value = try parameters.integer(names) { try set(key, value) }
    case .requiredInteger(let key, let names):
      guard let value = try parameters.integer(names) else { throw .missingParameter(names[0]) }
      try set(key, value)
    case .nonzeroInteger(let key, let names):
      if let value = try parameters.integer(names), value != 0 { try set(key, value) }
    case .float, .requiredFloat, .nonzeroFloat: try writeFloat(rule)
    case .bool(let key, let names): if let value = parameters.first(names)?.bool { set(key, value) }
    case .trueBool(let key, let names): if parameters.first(names)?.bool == true { set(key, true) }
    case .constant(let key, .integer(let value)): try set(key, value)
    case .constant(let key, .float(let value)): set(key, value)
    case .override(let key, let value): parameters[key] = value
    case .fileType: metadata["general.file_type"] = .uint32(UInt32(type))
    case .blockCount: try set("block_count", layers)
    case .rotaryDimension(let factor): try writeRotaryDimension(factor)
    case .special(let keys): try write(keys)
    }
  }

  private mutating func writeFloat(_ rule: KeyRule) throws(ArchitectureError) {
    switch rule {
    case .float(let key, let names): if let value = try number(names) { set(key, value) }
    case .requiredFloat(let key, let names):
      guard let value = try number(names) else { throw .missingParameter(names[0]) }
      set(key, value)
    case .nonzeroFloat(let key, let names): if let value = try number(names), value != 0 { set(key, value) }
    default: return
    }
  }

  func number(_ names: [String]) throws(ArchitectureError) -> Double? {
    guard let value = parameters.first(names) else { return nil }
    guard let number = value.double else { throw .parameter(names[0], "is not a number") }
    return number
  }

  private mutating func writeRotaryDimension(_ factor: Double?) throws(ArchitectureError) {
    let size = try parameters.headSize()
    guard let factor else { return try set("rope.dimension_count", size) }
    let share = rotary.all["partial_rotary_factor"]?.double ?? factor
    guard (0...1).contains(share) else { throw .parameter("partial_rotary_factor", "is not within 0 and 1") }
    try set("rope.dimension_count", Int(Double(size) * share))
  }
}
