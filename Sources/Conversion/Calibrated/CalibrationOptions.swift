import Calibration

/// What calibrated packing goes by.
public struct CalibrationOptions: Sendable {
  /// Statistics by the names of the model's weights; a slice of a stack of experts has the name that
  /// `WeightName.slice` gives it.
  public var statistics: any CalibrationSource
  /// Bits a weight over all quantized tensors, everything included, that SpQR's outliers may fill up to; nil goes by
  /// `threshold`.
  public var targetBits: Double?
  /// The threshold beyond which SpQR keeps a weight apart, relative to the mean over columns of variance over the
  /// squared diagonal of the factor; nil goes by the bits of a code.
  public var threshold: Float?
  /// The share of a Hessian's mean diagonal that is added to its diagonal.
  public var damping: Float = 0.1
  public var uncovered = Uncovered.refuse

  /// What becomes of weights that have no statistics.
  public enum Uncovered: String, Sendable, CaseIterable {
    /// The plan is refused, with their names.
    case refuse
    /// They are rounded to nearest.
    case nearest
    /// They keep their bytes.
    case keep
  }

  public init(_ statistics: any CalibrationSource) { self.statistics = statistics }
}
