import Calibration
import Experts

/// What is asked of `pack --dedupe-experts`.
public struct SharingRequest: Sendable {
  /// Bits a weight or relative error; nil: the error that the recipe's own encoding of experts makes.
  public var goal: RateControl.Goal?
  /// Statistics of the experts' inputs.
  public var calibration: (any CalibrationSource)?
  /// Look for permutations of hidden neurons that make experts alike.
  public var aligns = true

  public init(goal: RateControl.Goal? = nil, calibration: (any CalibrationSource)? = nil) {
    self.goal = goal
    self.calibration = calibration
  }
}

/// What sharing comes to in a sample of the experts, before all of them are encoded.
public struct SharingForecast: Sendable {
  /// Bits a weight of the slots that share: the centroids' and the experts' own.
  public var bits: Double
  public var error: Double
  /// The same experts without centroids, in the same encoding and at the same quality.
  public var plainBits: Double
  public var plainError: Double

  /// Bits a weight that are saved at equal error: what the errors differ by counts half a bit for each factor of two.
  public var saving: Double
}
