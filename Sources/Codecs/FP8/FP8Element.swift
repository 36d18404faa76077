import Tensors

/// The elements of eight bits.
public enum FP8Element: String, Sendable, CaseIterable {
  case e4m3 = "E4M3"
  case e5m2 = "E5M2"
  case e4m3fnuz = "E4M3FNUZ"
  case e5m2fnuz = "E5M2FNUZ"

  public var dtype: DType {
    switch self {
    case .e4m3: .f8e4m3
    case .e5m2: .f8e5m2
    case .e4m3fnuz: .f8e4m3fnuz
    case .e5m2fnuz: .f8e5m2fnuz
    }
  }

  /// The element of a plain dtype, or nil for a dtype that isn't one of them.
  public init?(_ dtype: DType) {
    guard let element = Self.allCases.first(where: { $0.dtype == dtype }) else { return nil }
    self = element
  }

  /// The largest finite value.
  public var largest: Float {
    switch self {
    case .e4m3: 448
    case .e4m3fnuz: 240
    case .e5m2, .e5m2fnuz: 57344
    }
  }
}

/// How the scales of FP8 tensors are stored.
public enum FP8Scale: String, Sendable, CaseIterable {
  case f32 = "F32"
  case bf16 = "BF16"
  case f16 = "F16"
  case e8m0 = "E8M0"

  /// Bytes of one scale.
  public var bytes: Int { float?.bytes ?? 1 }

  private var float: ScalarFloat? { ScalarFloat(rawValue: rawValue) }

  /// The scale with this index in a plane; NaN for the E8M0 byte 255.
  func load(_ plane: UnsafeRawBufferPointer, _ index: Int) -> Float {
    float?.load(plane, index) ?? (plane[index] == 0xFF ? .nan : MXCodec.scale(plane[index]))
  }

  /// Stores the scale nearest to `value`, ties to even, and no infinity; of E8M0 the least that isn't below it.
  /// - Returns: the scale that was stored.
  func store(_ value: Float, _ plane: UnsafeMutableRawBufferPointer, _ index: Int) -> Float {
    if let float {
      float.store(self == .f16 ? min(value, 65504) : value, plane, index)
    } else {
      plane[index] = UInt8(min((value.bitPattern + 0x7F_FFFF) >> 23, 254))
    }
    return load(UnsafeRawBufferPointer(plane), index)
  }
}
