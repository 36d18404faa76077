import JSON

/// The settings of a model: config.json, a nested `text_config` raised to the top, and what Hugging Face's
/// configuration class of the family adds where the file is silent.
struct HyperParameters: Sendable {
  private(set) var values: JSONObject

  /// Defaults are added in order, so that a later one can follow from an earlier one.
  init(_ config: JSONValue, defaults: [ParameterDefault] = []) {
    var values = config.object ?? JSONObject()
    for member in values["text_config"]?.object?.members ?? [] { values[member.key] = member.value }
    self.values = values
    for rule in defaults { rule.apply(to: &self) }
  }

  /// The value of a key; nil if it is missing or null.
  subscript(key: String) -> JSONValue? {
    get { values[key].flatMap { $0.isNull ? nil : $0 } }
    set { values[key] = newValue }
  }

  func has(_ key: String) -> Bool { values[key] != nil }

  /// The value of the first of the keys that is there, nil if that one is null.
  func first(_ keys: [String]) -> JSONValue? {
    keys.first { values[$0] != nil }.flatMap { self[$0] }
  }

  func integer(_ keys: String...) throws(ArchitectureError) -> Int? { try integer(keys) }

  func integer(_ keys: [String]) throws(ArchitectureError) -> Int? {
    guard let key = keys.first(where: { values[$0] != nil }), let value = self[key] else { return nil }
    guard let integer = value.int, integer >= 0, integer <= Int(UInt32.max) else {
      throw .parameter(key, "is not a whole number below 2^32")
    }
    return integer
  }

  func required(_ keys: String...) throws(ArchitectureError) -> Int {
    guard let value = try integer(keys) else { throw .missingParameter(keys.joined(separator: "' or '")) }
    return value
  }

  /// A positive number: a count that something is divided by.
  func positive(_ keys: String...) throws(ArchitectureError) -> Int {
    guard let value = try integer(keys) else { throw .missingParameter(keys.joined(separator: "' or '")) }
    guard value > 0 else { throw .parameter(keys.first { values[$0] != nil } ?? "", "is zero") }
    return value
  }

  func float(_ keys: String...) throws(ArchitectureError) -> Double? {
    guard let key = keys.first(where: { values[$0] != nil }), let value = self[key] else { return nil }
    guard let number = value.double else { throw .parameter(key, "is not a number") }
    return number
  }

  func bool(_ key: String) -> Bool? { self[key]?.bool }

  /// Elements of a head: `head_dim`, or what a head's share of the hidden size is.
  func headSize() throws(ArchitectureError) -> Int {
    if let size = try integer("head_dim") { return size }
    return try required("hidden_size") / positive("num_attention_heads")
  }
}

/// What a configuration class sets where config.json says nothing.
enum ParameterDefault: Sendable {
  /// A constant for a key that is missing.
  case value(String, JSONValue)
  case decimal(String, Double)
  /// The value of another key, for a key that is missing or null.
  case same(String, as: String)
  /// `head_dim` as hidden_size / num_attention_heads, if missing or null.
  case headSize

  func apply(to parameters: inout HyperParameters) {
    switch self {
    case .value(let key, let value): if !parameters.has(key) { parameters[key] = value }
    case .decimal(let key, let value):
      if !parameters.has(key), let number = JSONNumber(value) { parameters[key] = .number(number) }
    case .same(let key, let other):
      if parameters[key] == nil, let value = parameters[other] { parameters[key] = value }
    case .headSize:
      guard parameters["head_dim"] == nil, let hidden = parameters["hidden_size"]?.int,
        let heads = parameters["num_attention_heads"]?.int, heads > 0
      else { return }
      parameters["head_dim"] = .number(JSONNumber(hidden / heads))
    }
  }
}
