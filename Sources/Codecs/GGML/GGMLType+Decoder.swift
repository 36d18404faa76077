extension GGMLType {
  /// The reference decoder of a block type; nil for a plain type.
  var decoder: BlockDecoder? {
    switch self {
    case .q4_0: LegacyQuants.decodeQ4_0
    case .q4_1: LegacyQuants.decodeQ4_1
    case .q5_0: LegacyQuants.decodeQ5_0
    case .q5_1: LegacyQuants.decodeQ5_1
    case .q8_0: LegacyQuants.decodeQ8_0
    case .q8_1: LegacyQuants.decodeQ8_1
    case .q8_K: LegacyQuants.decodeQ8_K
    case .q2_K: KQuants.decodeQ2_K
    case .q3_K: KQuants.decodeQ3_K
    case .q4_K: KQuants.decodeQ4_K
    case .q5_K: KQuants.decodeQ5_K
    case .q6_K: KQuants.decodeQ6_K
    case .iq4_nl: IQuants.decodeIQ4_NL
    case .iq4_xs: IQuants.decodeIQ4_XS
    case .iq2_xxs: IQuants.decodeIQ2_XXS
    case .iq2_xs: IQuants.decodeIQ2_XS
    case .iq2_s: IQuants.decodeIQ2_S
    case .iq3_xxs: IQuants.decodeIQ3_XXS
    case .iq3_s: IQuants.decodeIQ3_S
    case .iq1_s: IQuants.decodeIQ1_S
    case .iq1_m: IQuants.decodeIQ1_M
    case .tq1_0: TernaryQuants.decodeTQ1_0
    case .tq2_0: TernaryQuants.decodeTQ2_0
    case .q1_0: TernaryQuants.decodeQ1_0
    case .q2_0: TernaryQuants.decodeQ2_0
    case .mxfp4: FloatQuants.decodeMXFP4
    case .nvfp4: FloatQuants.decodeNVFP4
    case .f32, .f16, .bf16, .f64, .i8, .i16, .i32, .i64: nil
    }
  }
}
