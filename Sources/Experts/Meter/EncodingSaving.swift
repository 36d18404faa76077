import Codecs

/// What real encodings of fixed width would save: a plain encoding of the experts beside the cheapest pair of a
/// centroid's and a residual's that makes no more error.
public struct EncodingSaving: Sendable, Equatable {
  /// An encoding by its cost and its error on Gaussian weights.
  public struct Anchor: Sendable, Equatable {
    public var name: String
    /// Bits a weight, scales counted.
    public var bits: Double
    /// Squared error over squared norm.
    public var error: Double
  }

  /// What `bale pack` makes of 1024 x 1024 Gaussian numbers by each encoding's default rule, rounded to three digits.
  public static let anchors = [
    Anchor(name: "ternary", bits: 1.875, error: 0.184),
    Anchor(name: "int2", bits: 2.25, error: 0.144),
    Anchor(name: "int3", bits: 3.25, error: 0.0361),
    Anchor(name: "mxfp4", bits: 4.25, error: 0.0125),
    Anchor(name: "int4", bits: 4.25, error: 0.00904),
    Anchor(name: "int8", bits: 8.25, error: 0.0000306),
  ]

  /// The anchor of a name; int4's for a name that isn't there.
  public static func anchor(_ name: String) -> Anchor { anchors.first { $0.name == name } ?? anchors[4] }

  /// The plain encoding.
  public var plain: String
  /// The centroid's and the residuals'; nil if none costs less.
  public var centroid: String?
  public var residual: String?
  /// Bits a weight saved over the plain encoding, the centroid paid by its members; 0 if nothing is saved.
  public var saving: Double

  /// The best pair for experts of which a share `residualShare` of the power lies beside the mean of `count`.
  public init(plain: Anchor, residualShare: Double, count: Int) {
    self.plain = plain.name
    saving = 0
    for centroid in Self.anchors {
      for residual in Self.anchors {
        let power = residualShare + centroid.error * (1 - residualShare)
        let bits = residual.bits + centroid.bits / Double(max(count, 1))
        guard count > 1, power * residual.error <= plain.error, plain.bits - bits > saving else { continue }
        saving = plain.bits - bits
        self.centroid = centroid.name
        self.residual = residual.name
      }
    }
  }
}

extension MatrixSimilarity {
  /// The saving over a plain encoding, averaged over all experts, those without a centroid too.
  public func saving(over plain: EncodingSaving.Anchor) -> Double {
    guard after.count > 0 else { return 0 }
    let total = clusters.members.filter { $0.count > 1 }.reduce(0.0) {
      let gram = after.restricted(to: $1)
      let saving = EncodingSaving(plain: plain, residualShare: gram.residualShare, count: $1.count).saving
      return $0 + saving * Double($1.count)
    }
    return total / Double(after.count)
  }
}
