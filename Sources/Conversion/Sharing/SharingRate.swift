import ByteIO
import Checkpoints
import Codecs
import Experts
import Pipeline
import Tensors

/// Finds the quality that meets a goal, from a sample: of four layers, the centroids of each matrix and two experts of
/// each cluster.
struct SharingRate: Sendable {
  let source: CheckpointExperts
  let resources: Resources
  private let sample: [SharedSlot]
  /// How far inside the goal the sample has to be.
  private let margin: Double

  /// Layers of a sample.
  private static let layers = 4
  /// Experts of a cluster.
  private static let members = 2
  /// How far inside the goal a sample has to be that isn't the whole.
  private static let margin = 0.004

  init(slots: [SharedSlot], source: CheckpointExperts, resources: Resources) {
    self.source = source
    self.resources = resources
    let numbers = Set(slots.map(\.layer)).sorted()
    let chosen = Set(
      (0..<min(Self.layers, numbers.count)).map { index in
        numbers[numbers.count <= Self.layers ? index : index * (numbers.count - 1) / (Self.layers - 1)]
      })
    sample = slots.filter { chosen.contains($0.layer) }
    margin = chosen.count < numbers.count ? Self.margin : 0
  }

  /// The quality, and what the sample came to with it; nil if there is nothing to encode.
  /// - Parameter plain: what the recipe does with experts, whose error is the goal where none is given.
  func find(
    _ goal: RateControl.Goal?, plain: Treatment
  ) throws -> (quality: Float, forecast: SharingForecast)? {
    guard !sample.isEmpty else { return nil }
    let goal = try goal ?? .error(try errorOf(plain))
    let inside: RateControl.Goal =
      switch goal {
      case .bits(let bits): .bits(bits * (1 - margin))
      case .error(let error): .error(error * (1 - margin))
      }
    let few = items(most: Self.members)
    let first = try RateControl.approach(inside) { try outcome($0, few, shared: true) }
    let quality = try corrected(first, inside, few)
    let shared = try outcome(quality, few, shared: true)
    let alone = try outcome(quality, few, shared: false)
    let correction = shared.error > 0 && alone.error > 0 ? 0.5 * BinaryLogarithm.of(alone.error / shared.error) : 0
    return (
      quality,
      SharingForecast(
        bits: shared.bits, error: shared.error, plainBits: alone.bits, plainError: alone.error,
        saving: alone.bits - shared.bits + correction)
    )
  }

  /// The quality that meets the goal with all experts of the layers, from one that meets it with a few.
  private func corrected(_ quality: Float, _ goal: RateControl.Goal, _ few: [Item]) throws -> Float {
    let everyone = items(most: .max)
    guard everyone.count > few.count else { return quality }
    return try RateControl.approach(goal, from: quality, steps: 3) { try outcome($0, everyone, shared: true) }
  }

  /// Qualities whose bits go from half a bit to more than four where experts share most of what they are.
  private static let curveQualities: [Float] = [2.8, 2, 1.4, 1, 0.7, 0.5, 0.35, 0.25, 0.18, 0.125, 0.09, 0.0625]
  private static let plainEncodings = [
    "ternary", "int2:group=64", "int3:group=64", "int4:group=64", "int4:group=32", "mxfp4", "nf4",
  ]

  /// Bits and errors of the sample: beside centroids, without them, and in block encodings.
  func curve() throws -> [ExpertReport.Point] {
    guard !sample.isEmpty else { return [] }
    var points: [ExpertReport.Point] = []
    let few = items(most: Self.members)
    for (name, shared) in [("trellis beside centroids", true), ("trellis alone", false)] {
      for quality in Self.curveQualities {
        let found = try outcome(quality, few, shared: shared)
        guard found.bits <= 4.5 else { break }
        points.append(.init(curve: name, bits: found.bits, error: found.error))
      }
    }
    for name in Self.plainEncodings {
      let codec = try CodecRegistry.codec(name)
      guard sample.allSatisfy({ (try? codec.check(shape($0))) != nil }), let cost = try? error(of: codec, rule: nil)
      else { continue }
      let bits = sample.reduce(0) { $0 + codec.byteCount(elements: $1.rows * $1.columns, columns: $1.columns) * 8 }
      let weights = sample.reduce(0) { $0 + $1.rows * $1.columns }
      points.append(.init(curve: codec.descriptor.name, bits: Double(bits) / Double(max(weights, 1)), error: cost))
    }
    return points
  }

  private func shape(_ slot: SharedSlot) -> Shape { Shape([slot.rows, slot.columns]) ?? .scalar }

  /// One matrix to be encoded, and how many of its kind it stands for.
  private struct Item: Sendable {
    var slot: Int
    var cluster: Int?
    var expert: Int
    var weight: Double
    /// True for one of each cluster.
    var isFirst: Bool
  }

  /// Of each cluster so many experts at most.
  private func items(most: Int) -> [Item] {
    sample.enumerated().flatMap { number, slot in
      slot.clusters.filter { $0.count > 1 }.enumerated()
        .flatMap { items(of: $1, cluster: $0, slot: number, most: most) }
        + items(of: slot.clusters.filter { $0.count == 1 }.map { $0[0] }, cluster: nil, slot: number, most: most)
    }
  }

  private func items(of members: [Int], cluster: Int?, slot: Int, most: Int) -> [Item] {
    let chosen = sample[slot].prepared.sample(of: members, count: most)
    return chosen.enumerated().map { place, expert in
      Item(
        slot: slot, cluster: cluster, expert: expert, weight: Double(members.count) / Double(chosen.count),
        isFirst: place == 0)
    }
  }

  /// Bits a weight and relative error of the sample, extrapolated to its layers.
  private func outcome(_ quality: Float, _ items: [Item], shared: Bool) throws -> RateControl.Outcome {
    let shelf = CentroidShelf(sample, quality: quality, capacity: resources.memory / 2)
    let sums = Monitor((bits: 0.0, error: 0.0, norm: 0.0))
    let window = resources.window(itemBytes: sample.map(\.prepared.memory).max() ?? 1)
    try OrderedPipeline.run(count: items.count, threads: resources.threads, window: window) { index in
      let item = items[index]
      let prepared = sample[item.slot].prepared
      let centroid = try shared ? item.cluster.map { try shelf.centroid($0, ofSlot: item.slot) } : nil
      let encoded = try prepared.expert(item.expert, beside: centroid?.decoded, quality: quality)
      return (encoded: encoded, centroidBytes: item.isFirst ? centroid?.encoded.bytes ?? 0 : 0)
    } consume: { index, made in
      let weight = items[index].weight
      sums.withLock {
        $0.bits += weight * Double(made.encoded.bytes * 8) + Double(made.centroidBytes * 8)
        $0.error += weight * made.encoded.squaredError
        $0.norm += weight * made.encoded.squaredNorm
      }
    }
    let found = sums.withLock { $0 }
    let weights = sample.reduce(0) { $0 + $1.weights }
    return RateControl.Outcome(
      bits: found.bits / Double(max(weights, 1)), error: found.norm > 0 ? found.error / found.norm : 0)
  }

  /// Relative error that an encoding makes of the sample; MXFP4's where the recipe keeps the experts.
  private func errorOf(_ treatment: Treatment) throws -> Double {
    var (codec, rule): (any Codec, ScaleRule?) = (try CodecRegistry.codec("mxfp4"), nil)
    if case .quantize(let descriptor, let chosen) = treatment {
      let own = try CodecRegistry.codec(descriptor)
      // What looks at a whole tensor before it encodes a span can't be tried on a sample.
      if own is any QuantizingCodec, !(own is any TensorStatisticCodec) { (codec, rule) = (own, chosen) }
    }
    return try error(of: codec, rule: rule)
  }

  private func error(of codec: any Codec, rule: ScaleRule?) throws -> Double {
    let transcoder = try Transcoder(from: PlainCodec(.f32), to: codec, rule: rule, measured: true)
    var total = ErrorStatistics()
    for item in items(most: Self.members) {
      let slot = sample[item.slot]
      let values = try OrderedExperts(source: source, layer: slot.layer, orders: nil)
        .weights(item.expert, slot.matrices)
      let output = EncodedBytes(codec, elements: values.count, columns: slot.columns)
      try values.withUnsafeBytes { bytes in
        let span = EncodedSpan(planes: [bytes], elements: values.count, columns: slot.columns)
        total.merge(try output.withTargets { try transcoder.run(span, into: $0) })
      }
    }
    return total.relativeMSE
  }
}
