import Checkpoints
import Codecs
import Pipeline

/// Makes runs of a tensor in its new encoding: reads, turns over, measures.
struct TensorConverter: Sendable {
  let reader: SpanReader
  private(set) var transcoder: Transcoder
  /// What the target has to know of the whole tensor, one a pass.
  var statistics: [TensorStatistic] = []

  init(
    _ checkpoint: any Checkpoint, tensor: Int, to codec: any Codec, rule: ScaleRule?, measured: Bool,
    importance: TensorImportance? = nil
  ) throws {
    reader = SpanReader(checkpoint, tensor: tensor)
    transcoder = try Transcoder(from: reader.codec, to: codec, rule: rule, measured: measured)
    transcoder.importance = importance
  }

  /// Elements `range` of the tensor, encoded as a piece of its own. The target may begin a piece anywhere; where the
  /// source can't be cut there, a little more is read and decoded.
  func convert(_ range: Range<Int>) throws -> (EncodedBytes, ErrorStatistics) {
    let isCopied = transcoder.isCopy && reader.isRun(range)
    // What can't be cut in tiles is decoded at once.
    guard isCopied || (reader.isRun(range) && reader.canBeCut) else {
      var fromValues = try Transcoder(
        from: PlainCodec(.f32), to: transcoder.target, rule: transcoder.rule, measured: transcoder.measured)
      fromValues.importance = transcoder.importance
      return try run(fromValues, reader.values(range), at: range.lowerBound)
    }
    let input = try reader.read(range)
    return isCopied ? (input, ErrorStatistics()) : try run(transcoder, input, at: range.lowerBound)
  }

  private func run(
    _ transcoder: Transcoder, _ input: EncodedBytes, at start: Int
  ) throws -> (EncodedBytes, ErrorStatistics) {
    if let codec = transcoder.target as? any VariableCodec { return try transcoder.encode(input, with: codec) }
    let output = EncodedBytes(transcoder.target, elements: input.elements, columns: input.columns)
    let cost = try input.withSpan { input in
      try output.withTargets { try transcoder.run(input, at: start, into: $0, statistics: statistics) }
    }
    return (output, cost)
  }
}

extension TensorConverter {
  /// Goes over the whole tensor, as often as the target needs to before it can encode the first span. The spans are
  /// of a fixed size and taken in order, so that the figures don't depend on threads.
  mutating func gatherStatistics(_ resources: Resources) throws {
    guard !Transcoder.isExact(from: reader.codec, to: transcoder.target),
      let codec = transcoder.target as? any TensorStatisticCodec
    else { return }
    let rule = transcoder.rule ?? codec.defaultRule
    for _ in 0..<codec.passes(rule: rule) {
      statistics.append(try pass(of: codec, rule: rule, after: statistics, resources))
    }
  }

  private func pass(
    of codec: any TensorStatisticCodec, rule: ScaleRule, after previous: [TensorStatistic], _ resources: Resources
  ) throws -> TensorStatistic {
    let span = SpanRule.elements([reader.codec, codec], columns: reader.columns)
    let units = SpanUnits([SpanUnits.Run(elements: reader.elements, span: span)])
    let merged = Monitor(TensorStatistic?.none)
    let reader = reader
    try OrderedPipeline.run(
      count: units.count, threads: resources.threads, window: resources.window(itemBytes: span * 8)
    ) { index in
      let values = try reader.values(units[index].elements)
      return try values.withFloats {
        try codec.gather($0, columns: reader.columns, rule: rule, after: previous)
      }
    } consume: { _, next in
      merged.withLock { if $0?.append(next) == nil { $0 = next } }
    }
    return merged.withLock { $0 } ?? TensorStatistic([], merge: .sum)
  }
}
