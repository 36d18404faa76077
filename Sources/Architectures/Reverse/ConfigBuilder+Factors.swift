import JSON

/// Frequency factors, which a GGUF file holds as tensors.
extension ConfigBuilder {
  mutating func readFactors() throws(ArchitectureError) {
    guard var settings = object["rope_parameters"]?.object else { return }
    if let long = constants["rope_factors_long.weight"], let short = constants["rope_factors_short.weight"] {
      settings["rope_type"] = "longrope"
      settings["long_factor"] = .array(Self.numbers(long))
      settings["short_factor"] = .array(Self.numbers(short))
    }
    if let factors = constants["rope_freqs.weight"] {
      settings = try llama3Settings(settings, factors)
    }
    put("rope_parameters", .object(settings))
  }

  private static func numbers(_ floats: [Float]) -> [JSONValue] {
    floats.compactMap { number(.float32($0)) }
  }

  /// Llama 3's settings: every published model has low and high frequency factors of 1 and 4 and 8192 positions, and
  /// the factor is that of the longest wave. Throws if that doesn't give the tensor back.
  private func llama3Settings(
    _ settings: JSONObject, _ factors: [Float]
  ) throws(ArchitectureError) -> JSONObject {
    var settings = settings
    settings["rope_type"] = "llama3"
    settings["factor"] = factors.max().flatMap { Self.number(.float32($0)) }
    settings["low_freq_factor"] = 1
    settings["high_freq_factor"] = 4
    settings["original_max_position_embeddings"] = 8192
    let parameters = HyperParameters(.object(object), defaults: family.defaults)
    guard try MapBuilder.llama3Factors(parameters, settings) == factors else {
      throw .key("rope_freqs.weight", "does not follow from Llama 3's settings")
    }
    return settings
  }
}
