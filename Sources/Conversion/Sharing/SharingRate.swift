import ByteIO
import Checkpoints
import Codecs
import Experts
import Pipeline

/// Finds the quality that meets a goal, from a sample: of four layers, the centroids of each matrix and two experts of
/// each cluster.
struct SharingRate: Sendable {
  let source: CheckpointExperts
  let resources: Resources
  private let sample: [SharedSlot]

  /// Layers of a sample.
  private static let layers = 4
  /// Experts of a cluster.
  private static let members = 2
  /// How far inside the goal the sample has to be: a sample is not the whole.
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
      case .bits(let bits): .bits(bits * (1 - Self.margin))
      case .error(let error): .error(error * (1 - Self.margin))
      }
    let quality = try RateControl.approach(inside) { try outcome($0, shared: true) }
    let shared = try outcome(quality, shared: true)
    let alone = try outcome(quality, shared: false)
    let correction = shared.error > 0 && alone.error > 0 ? 0.5 * BinaryLogarithm.of(alone.error / shared.error) : 0
    return (
      quality,
      SharingForecast(
        bits: shared.bits, error: shared.error, plainBits: alone.bits, plainError: alone.error,
        saving: alone.bits - shared.bits + correction)
    )
  }

  /// One matrix to be encoded, and how many of its kind it stands for.
  private struct Item: Sendable {
    var slot: Int
    var cluster: Int?
    var expert: Int
    var weight: Double
  }

  private var items: [Item] {
    sample.enumerated().flatMap { number, slot in
      slot.clusters.filter { $0.count > 1 }.enumerated().flatMap { index, members in
        members.prefix(Self.members).map {
          Item(
            slot: number, cluster: index, expert: $0,
            weight: Double(members.count) / Double(min(members.count, Self.members)))
        }
      } + alone(slot, number)
    }
  }

  private func alone(_ slot: SharedSlot, _ number: Int) -> [Item] {
    let single = slot.clusters.filter { $0.count == 1 }.map { $0[0] }
    return single.prefix(Self.members).map {
      Item(
        slot: number, cluster: nil, expert: $0, weight: Double(single.count) / Double(min(single.count, Self.members)))
    }
  }

  /// Bits a weight and relative error of the sample, extrapolated to its layers.
  private func outcome(_ quality: Float, shared: Bool) throws -> RateControl.Outcome {
    let centroids = try shared ? centroids(quality) : [:]
    let items = items
    let sums = Monitor((bits: 0.0, error: 0.0, norm: 0.0))
    sums.withLock { $0.bits = centroids.values.reduce(0) { $0 + Double($1.bytes * 8) } }
    try OrderedPipeline.run(count: items.count, threads: resources.threads, window: resources.threads) { index in
      let item = items[index]
      let reference = item.cluster.flatMap { centroids[[item.slot, $0]] }?.decoded
      return try sample[item.slot].prepared.expert(item.expert, beside: reference, quality: quality)
    } consume: { index, encoded in
      let weight = items[index].weight
      sums.withLock {
        $0.bits += weight * Double(encoded.bytes * 8)
        $0.error += weight * encoded.squaredError
        $0.norm += weight * encoded.squaredNorm
      }
    }
    let found = sums.withLock { $0 }
    let weights = sample.reduce(0) { $0 + $1.weights }
    return RateControl.Outcome(
      bits: found.bits / Double(max(weights, 1)), error: found.norm > 0 ? found.error / found.norm : 0)
  }

  private func centroids(_ quality: Float) throws -> [[Int]: (bytes: Int, decoded: [Float])] {
    let places = sample.indices.flatMap { slot in
      sample[slot].prepared.clusters.indices.map { [slot, $0] }
    }
    let found = Monitor<[[Int]: (bytes: Int, decoded: [Float])]>([:])
    try OrderedPipeline.run(count: places.count, threads: resources.threads, window: resources.threads) { index in
      let made = try sample[places[index][0]].prepared.centroid(places[index][1], quality: quality)
      return (bytes: made.matrix.bytes, decoded: made.decoded)
    } consume: { index, made in
      found.withLock { $0[places[index]] = made }
    }
    return found.withLock { $0 }
  }

  /// Relative error that an encoding makes of the sample; MXFP4's where the recipe keeps the experts.
  private func errorOf(_ treatment: Treatment) throws -> Double {
    var (codec, rule): (any Codec, ScaleRule?) = (try CodecRegistry.codec("mxfp4"), nil)
    if case .quantize(let descriptor, let chosen) = treatment {
      let own = try CodecRegistry.codec(descriptor)
      // What looks at a whole tensor before it encodes a span can't be tried on a sample.
      if own is any QuantizingCodec, !(own is any TensorStatisticCodec) { (codec, rule) = (own, chosen) }
    }
    let transcoder = try Transcoder(from: PlainCodec(.f32), to: codec, rule: rule, measured: true)
    var total = ErrorStatistics()
    for item in items {
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
