import JSON

/// What the meter found in a model, and what encoding it gave: the content of the JSON and HTML reports.
public struct ExpertReport: Sendable {
  /// A point of a rate curve.
  public struct Point: Sendable, Equatable {
    /// Name of the curve: an encoding.
    public var curve: String
    /// Bits a weight, everything counted.
    public var bits: Double
    /// Squared error over squared norm.
    public var error: Double
    /// Of the model with such experts, where somebody measured it.
    public var perplexity: Double?

    public init(curve: String, bits: Double, error: Double, perplexity: Double? = nil) {
      self.curve = curve
      self.bits = bits
      self.error = error
      self.perplexity = perplexity
    }
  }

  public var title: String
  public var layers: [LayerSimilarity]
  public var points: [Point]

  public init(title: String, layers: [LayerSimilarity], points: [Point] = []) {
    self.title = title
    self.layers = layers
    self.points = points
  }

  /// Adds the points of a measurement: a JSON object whose `points` have `curve`, `bits`, `error` and `perplexity`.
  /// Points without these are left out.
  public mutating func add(measurement: JSONValue) {
    points += (measurement["points"]?.array ?? []).compactMap { point in
      guard let curve = point["curve"]?.string, let bits = point["bits"]?.double, let error = point["error"]?.double
      else { return nil }
      return Point(curve: curve, bits: bits, error: error, perplexity: point["perplexity"]?.double)
    }
  }

  /// Adds the bound that no code of Gaussian weights passes, at half a bit to 4.25.
  public mutating func addBound() {
    let bound = RateBound(layers)
    points += (2...17).map { step in
      let bits = Double(step) / 4
      return Point(curve: "rate-distortion bound", bits: bits, error: bound.error(bits: bits))
    }
  }

  /// Predicted saving in bits a weight, averaged over the matrices, which have equal sizes in a layer.
  public var meanSaving: Double {
    let savings = layers.flatMap(\.matrices).map(\.clusters.saving)
    return savings.isEmpty ? 0 : savings.reduce(0, +) / Double(savings.count)
  }

  /// The report as JSON: `title`, `mean_saving`, `layers` and `rate_curve` (specs/experts.md).
  public var json: JSONValue {
    .object(
      JSONObject([
        .init("title", .string(title)),
        .init("mean_saving", Self.number(meanSaving)),
        .init("layers", .array(layers.map(Self.layer))),
        .init("rate_curve", .array(points.map(Self.point))),
      ]))
  }

  private static func layer(_ layer: LayerSimilarity) -> JSONValue {
    .object(
      JSONObject([
        .init("layer", .number(JSONNumber(layer.layer))),
        .init("aligned", .bool(layer.order != nil)),
        .init("matrices", .array(layer.matrices.map(matrix))),
      ]))
  }

  private static func matrix(_ matrix: MatrixSimilarity) -> JSONValue {
    .object(
      JSONObject([
        .init("matrix", .string(matrix.matrix.rawValue)),
        .init("cosine_before", number(matrix.before.meanCorrelation)),
        .init("cosine_after", number(matrix.after.meanCorrelation)),
        .init("ideal_before", number(matrix.idealBefore)),
        .init("ideal_after", number(matrix.idealAfter)),
        .init("saving", number(matrix.clusters.saving)),
        .init("clusters", .array(matrix.clusters.members.map { .array($0.map { .number(JSONNumber($0)) }) })),
        .init("cosines_before", .array(matrix.before.correlations.map(number))),
        .init("cosines_after", .array(matrix.after.correlations.map(number))),
      ]))
  }

  private static func point(_ point: Point) -> JSONValue {
    var members = [
      JSONObject.Member("curve", .string(point.curve)), .init("bits", number(point.bits)),
      .init("error", number(point.error)),
    ]
    if let perplexity = point.perplexity { members.append(.init("perplexity", number(perplexity))) }
    return .object(JSONObject(members))
  }

  /// A number to six decimals; null for what JSON has no number for (the ideal of identical experts is infinite).
  private static func number(_ value: Double) -> JSONValue {
    JSONNumber((value * 1e6).rounded() / 1e6).map { .number($0) } ?? .null
  }
}
