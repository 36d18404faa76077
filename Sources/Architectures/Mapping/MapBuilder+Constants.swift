import Codecs
import JSON
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension MapBuilder {
  /// Tensors that follow from the configuration come before all others.
  mutating func addConstants() throws(ArchitectureError) {
    let rotary = RotaryParameters(parameters, defaultBase: family.rotaryBase)
    switch family.constants {
    case .none: return
    case .llama3:
      if let factors = try Self.llama3Factors(parameters, rotary.full) { add("rope_freqs.weight", factors) }
    case .longRope:
      guard let factors = try Self.longFactors(parameters, rotary) else { return }
      add("rope_factors_long.weight", factors.long)
      add("rope_factors_short.weight", factors.short)
    }
  }

  private mutating func add(_ name: String, _ values: [Float]) {
    guard let shape = Shape([values.count]) else { return }
    output.append(GGUFMappedTensor(name: name, shape: shape, type: .f32, content: .constant(values), inputs: []))
  }

  /// Llama 3.1's frequency factors (its model card's rope scaling): 1 for short waves, `factor` for long ones, and a
  /// blend between. F32 throughout, a number over a tensor as its reciprocal times the number, as PyTorch divides.
  static func llama3Factors(
    _ parameters: HyperParameters, _ rotary: JSONObject
  ) throws(ArchitectureError) -> [Float]? {
    guard rotary["rope_type"]?.string?.lowercased() == "llama3" else { return nil }
    let size = try parameters.headSize()
    guard (1...65536).contains(size) else { throw .parameter("head_dim", "is not within 1 and 65536") }
    let base = rotary["rope_theta"]?.double ?? 10000
    let factor = rotary["factor"]?.double ?? 8
    let (low, high) = (rotary["low_freq_factor"]?.double ?? 1, rotary["high_freq_factor"]?.double ?? 4)
    let context = rotary["original_max_position_embeddings"]?.double ?? 8192
    return stride(from: 0, to: size, by: 2).map { index in
      let exponent = Float(index) / Float(size)
      let frequency = 1 / Float(pow(base, Double(exponent)))
      let wave = 1 / frequency * Float(2 * Double.pi)
      if wave < Float(context / high) { return 1 }
      if wave > Float(context / low) { return Float(factor) }
      let smooth = (1 / wave * Float(context) - Float(low)) / Float(high - low)
      return 1 / ((1 - smooth) / Float(factor) + smooth)
    }
  }

  static func longFactors(
    _ parameters: HyperParameters, _ rotary: RotaryParameters
  ) throws(ArchitectureError) -> (long: [Float], short: [Float])? {
    guard let long = rotary.all["long_factor"]?.array, !long.isEmpty else { return nil }
    guard let short = rotary.all["short_factor"]?.array else { throw .missingParameter("short_factor") }
    let dimensions = try PhiRotary.dimensions(parameters, rotary)
    let (longs, shorts) = (long.compactMap(\.double), short.compactMap(\.double))
    guard longs.count == long.count, shorts.count == short.count, longs.count == shorts.count,
      longs.count * 2 == dimensions
    else { throw .parameter("long_factor", "and 'short_factor' are not \(dimensions / 2) numbers each") }
    return (longs.map(Float.init), shorts.map(Float.init))
  }
}

/// Phi-3's rotary settings.
enum PhiRotary {
  /// Elements of a head that are rotated.
  static func dimensions(
    _ parameters: HyperParameters, _ rotary: RotaryParameters
  ) throws(ArchitectureError) -> Int {
    let share = rotary.all["partial_rotary_factor"]?.double ?? 1
    let hidden = try parameters.required("hidden_size", "n_embd")
    let heads = try parameters.positive("num_attention_heads", "n_head")
    guard (0...1).contains(share) else { throw .parameter("partial_rotary_factor", "is not within 0 and 1") }
    return Int(share * Double(hidden)) / heads
  }

  static func originalContext(_ rotary: RotaryParameters) throws(ArchitectureError) -> Int {
    guard let value = rotary.all["original_max_position_embeddings"]?.int, value > 0 else {
      throw .missingParameter("original_max_position_embeddings")
    }
    return value
  }

  /// The factor on attention of a model stretched to a longer context, or nil if it isn't stretched by factors.
  static func attentionFactor(
    _ parameters: HyperParameters, _ rotary: RotaryParameters
  ) throws(ArchitectureError) -> Double? {
    guard let long = rotary.all["long_factor"]?.array, !long.isEmpty else { return nil }
    let original = Double(try originalContext(rotary))
    let scale = Double(try parameters.required("n_positions", "max_position_embeddings")) / original
    switch rotary.all["rope_type"]?.string?.lowercased() {
    case "su"?, "longrope"?: return scale > 1 ? (1 + log(scale) / log(original)).squareRoot() : 1
    case "yarn"?: return scale > 1 ? 0.1 * log(scale) + 1 : 1
    case nil: throw .missingParameter("rope_scaling.type")
    default: throw .parameter("rope_scaling", "is of a type that is not known for this family")
    }
  }
}
