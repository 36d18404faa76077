extension JSONValue {
  public static func integer(_ value: Int) -> JSONValue { .number(JSONNumber(value)) }

  /// A number, or null for one that isn't finite, which JSON can't say.
  public static func real(_ value: Double) -> JSONValue { JSONNumber(value).map { .number($0) } ?? .null }
}
