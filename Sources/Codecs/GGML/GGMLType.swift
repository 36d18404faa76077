import ByteIO
import Tensors

/// The element types of ggml. The raw value is the type's number in a GGUF file (specs/codecs/ggml.md); numbers that
/// ggml has withdrawn (4, 5, 31, 32, 33, 36, 37, 38) are not here.
public enum GGMLType: Int32, CaseIterable, Sendable, Hashable {
  case f32 = 0
  case f16 = 1
  case q4_0 = 2
  case q4_1 = 3
  case q5_0 = 6
  case q5_1 = 7
  case q8_0 = 8
  case q8_1 = 9
  case q2_K = 10
  case q3_K = 11
  case q4_K = 12
  case q5_K = 13
  case q6_K = 14
  case q8_K = 15
  case iq2_xxs = 16
  case iq2_xs = 17
  case iq3_xxs = 18
  case iq1_s = 19
  case iq4_nl = 20
  case iq3_s = 21
  case iq2_s = 22
  case iq4_xs = 23
  case i8 = 24
  case i16 = 25
  case i32 = 26
  case i64 = 27
  case f64 = 28
  case iq1_m = 29
  case bf16 = 30
  case tq1_0 = 34
  case tq2_0 = 35
  case mxfp4 = 39
  case nvfp4 = 40
  case q1_0 = 41
  case q2_0 = 42

  /// The name that GGUF tools use, such as "Q4_0".
  public var name: String { "\(self)".uppercased() }

  /// The type of that name, in either case.
  public init?(name: String) {
    let wanted = name.uppercased()
    guard let type = Self.allCases.first(where: { $0.name == wanted }) else { return nil }
    self = type
  }

  /// Elements a block holds: 1 for a plain type. A row is a whole number of blocks.
  public var blockElements: Int { layout.elements }

  /// Bytes a block takes.
  public var blockBytes: Int { layout.bytes }

  /// The plain dtype of the same bytes, or nil for a block type.
  public var plainDType: DType? {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    case .f64: .f64
    case .i8: .i8
    case .i16: .i16
    case .i32: .i32
    case .i64: .i64
    default: nil
    }
  }

  /// The type of a plain dtype's bytes, or nil if ggml has none.
  public init?(plain dtype: DType) {
    guard let type = Self.allCases.first(where: { $0.plainDType == dtype }) else { return nil }
    self = type
  }

  /// Bytes that `elements` elements take, or nil if they are not a whole number of blocks or the count overflows.
  public func bytes(elements: Int) -> Int? {
    guard elements >= 0, elements % blockElements == 0 else { return nil }
    return (elements / blockElements).multiplied(by: blockBytes)
  }

  private var layout: (elements: Int, bytes: Int) {
    switch self {
    case .i8: (1, 1)
    case .f16, .bf16, .i16: (1, 2)
    case .f32, .i32: (1, 4)
    case .f64, .i64: (1, 8)
    case .mxfp4: (32, 17)
    case .q4_0, .iq4_nl: (32, 18)
    case .q4_1: (32, 20)
    case .q5_0: (32, 22)
    case .q5_1: (32, 24)
    case .q8_0: (32, 34)
    case .q8_1: (32, 36)
    case .q2_0: (64, 18)
    case .nvfp4: (64, 36)
    case .q1_0: (128, 18)
    case .iq1_s: (256, 50)
    case .tq1_0: (256, 54)
    case .iq1_m: (256, 56)
    case .iq2_xxs, .tq2_0: (256, 66)
    case .iq2_xs: (256, 74)
    case .iq2_s: (256, 82)
    case .q2_K: (256, 84)
    case .iq3_xxs: (256, 98)
    case .q3_K, .iq3_s: (256, 110)
    case .iq4_xs: (256, 136)
    case .q4_K: (256, 144)
    case .q5_K: (256, 176)
    case .q6_K: (256, 210)
    case .q8_K: (256, 292)
    }
  }
}
