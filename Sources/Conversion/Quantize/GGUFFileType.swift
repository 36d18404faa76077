import Codecs

/// The types and mixes that a GGUF model is quantized to, under llama-quantize's names. The raw value is the number
/// in `general.file_type` (llama.h, `llama_ftype`). Those that need a codebook search (IQ1, IQ2, IQ3) are not here.
public enum GGUFFileType: UInt32, CaseIterable, Sendable {
  case f32 = 0
  case f16 = 1
  case q4_0 = 2
  case q4_1 = 3
  case q8_0 = 7
  case q5_0 = 8
  case q5_1 = 9
  case q2_K = 10
  case q3_K_S = 11
  case q3_K_M = 12
  case q3_K_L = 13
  case q4_K_S = 14
  case q4_K_M = 15
  case q5_K_S = 16
  case q5_K_M = 17
  case q6_K = 18
  case q2_K_S = 21
  case iq4_nl = 25
  case iq4_xs = 30
  case bf16 = 32
  case tq1_0 = 36
  case tq2_0 = 37
  case mxfp4_moe = 38
  case nvfp4 = 39
  case q1_0 = 40
  case q2_0 = 41

  /// The name, such as "Q4_K_M".
  public var name: String { "\(self)".uppercased() }

  /// The type of that name in any case, with llama-quantize's short forms: `Q4_K` is `Q4_K_M`, `MXFP4` is
  /// `MXFP4_MOE`. Nil for another.
  public init?(name: String) {
    let wanted = name.uppercased()
    let short = ["Q3_K": "Q3_K_M", "Q4_K": "Q4_K_M", "Q5_K": "Q5_K_M", "MXFP4": "MXFP4_MOE"]
    guard let type = Self.allCases.first(where: { $0.name == short[wanted, default: wanted] }) else { return nil }
    self = type
  }

  /// What a tensor gets that no rule of the mix is for.
  public var base: GGMLType {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    case .q4_0: .q4_0
    case .q4_1: .q4_1
    case .q5_0: .q5_0
    case .q5_1: .q5_1
    case .q8_0: .q8_0
    case .q2_K, .q2_K_S: .q2_K
    case .q3_K_S, .q3_K_M, .q3_K_L: .q3_K
    case .q4_K_S, .q4_K_M: .q4_K
    case .q5_K_S, .q5_K_M: .q5_K
    case .q6_K: .q6_K
    case .iq4_nl: .iq4_nl
    case .iq4_xs: .iq4_xs
    case .tq1_0: .tq1_0
    case .tq2_0: .tq2_0
    case .mxfp4_moe: .mxfp4
    case .nvfp4: .nvfp4
    case .q1_0: .q1_0
    case .q2_0: .q2_0
    }
  }
}
