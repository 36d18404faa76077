extension GGMLType {
  /// Whether values can be quantized to this type: not to the plain ones, the two that only activations have, and
  /// those that need a codebook search.
  public var isQuantizable: Bool { encoder != nil }

  /// Whether importance changes what `encode` writes.
  public var usesImportance: Bool {
    switch self {
    case .q4_0, .q4_1, .q5_0, .q5_1, .q2_K, .q3_K, .q4_K, .q5_K, .q6_K, .iq4_nl, .iq4_xs: true
    default: false
    }
  }

  /// Whether the rule `search` has something to choose from.
  public var isSearchable: Bool { usesImportance || self == .q8_0 || self == .mxfp4 }

  /// The reference encoder of a block type.
  var encoder: BlockEncoder? {
    switch self {
    case .q4_0: LegacyQuants.encodeQ4_0
    case .q4_1: LegacyQuants.encodeQ4_1
    case .q5_0: LegacyQuants.encodeQ5_0
    case .q5_1: LegacyQuants.encodeQ5_1
    case .q8_0: LegacyQuants.encodeQ8_0
    case .q2_K: KQuants.encodeQ2_K
    case .q3_K: KQuants.encodeQ3_K
    case .q4_K: KQuants.encodeQ4_K
    case .q5_K: KQuants.encodeQ5_K
    case .q6_K: KQuants.encodeQ6_K
    case .iq4_nl: IQuants.encodeIQ4_NL
    case .iq4_xs: IQuants.encodeIQ4_XS
    case .tq1_0: TernaryQuants.encodeTQ1_0
    case .tq2_0: TernaryQuants.encodeTQ2_0
    case .q1_0: TernaryQuants.encodeQ1_0
    case .q2_0: TernaryQuants.encodeQ2_0
    case .mxfp4: FloatQuants.encodeMXFP4
    case .nvfp4: FloatQuants.encodeNVFP4
    case .q8_1, .q8_K, .iq2_xxs, .iq2_xs, .iq2_s, .iq3_xxs, .iq3_s, .iq1_s, .iq1_m: nil
    case .f32, .f16, .bf16, .f64, .i8, .i16, .i32, .i64: nil
    }
  }

  /// The encoder of a block that searches by vectors where there is one, equal to `encoder` byte for byte.
  var fastEncoder: BlockEncoder? {
    switch self {
    case .q2_K: { KQuants.encodeQ2_K($0, $1, $2, byLanes: true) }
    case .q3_K: { KQuants.encodeQ3_K($0, $1, $2, byLanes: true) }
    case .q4_K: { KQuants.encodeQ4_K($0, $1, $2, byLanes: true) }
    case .q5_K: { KQuants.encodeQ5_K($0, $1, $2, byLanes: true) }
    case .q6_K: { KQuants.encodeQ6_K($0, $1, $2, byLanes: true) }
    default: encoder
    }
  }

  /// Byte offsets of the F16 scales in a block.
  var halfOffsets: [Int] {
    switch self {
    case .q4_0, .q5_0, .q8_0, .iq4_nl, .iq4_xs, .q1_0, .q2_0, .iq2_xxs, .iq2_xs, .iq2_s, .iq3_xxs, .iq3_s, .iq1_s:
      [0]
    case .q4_1, .q5_1, .q8_1, .q4_K, .q5_K: [0, 2]
    case .q2_K: [80, 82]
    case .q3_K: [108]
    case .q6_K: [208]
    case .tq1_0: [52]
    case .tq2_0: [64]
    case .f32, .f16, .bf16, .f64, .i8, .i16, .i32, .i64, .q8_K, .iq1_m, .mxfp4, .nvfp4: []
    }
  }
}
