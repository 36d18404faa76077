import Checkpoints
import Codecs
import Conversion
import JSON
import Pipeline
import Tensors

/// Compares two checkpoints of any formats, tensor by tensor and value by value.
public struct CheckpointDiff: Sendable {
  let first: any Checkpoint
  let second: any Checkpoint
  /// Indices of the tensors that both have in the same shape.
  private let pairs: [(Int, Int)]
  private let unpaired: [TensorDifference]

  /// Two checkpoints, of which one may have its experts' neurons in another order and say so: they are compared in that
  /// order. Throws the errors of reading.
  public static func matching(_ first: any Checkpoint, _ second: any Checkpoint) throws -> CheckpointDiff {
    let ordered = try ReorderedCheckpoint.matching(first, to: second)
    return CheckpointDiff(
      ordered, ordered is ReorderedCheckpoint ? second : try ReorderedCheckpoint.matching(second, to: first))
  }

  public init(_ first: any Checkpoint, _ second: any Checkpoint) {
    self.first = first
    self.second = second
    let positions = Dictionary(second.tensors.enumerated().map { (ExactString($1.name), $0) }) { first, _ in first }
    let names = Set(first.tensors.map { ExactString($0.name) })
    var pairs: [(Int, Int)] = []
    var unpaired: [TensorDifference] = []
    for (index, tensor) in first.tensors.enumerated() {
      guard let other = positions[ExactString(tensor.name)] else {
        unpaired.append(TensorDifference(name: tensor.name, kind: .missing, encodings: (tensor.codec.shortName, "")))
        continue
      }
      if second.tensors[other].shape == tensor.shape {
        pairs.append((index, other))
      } else {
        unpaired.append(Self.shapeDifference(tensor, second.tensors[other]))
      }
    }
    for tensor in second.tensors where !names.contains(ExactString(tensor.name)) {
      unpaired.append(TensorDifference(name: tensor.name, kind: .extra, encodings: ("", tensor.codec.shortName)))
    }
    self.pairs = pairs
    self.unpaired = unpaired
  }

  private static func shapeDifference(_ a: CheckpointTensor, _ b: CheckpointTensor) -> TensorDifference {
    TensorDifference(
      name: a.name, kind: .shape, encodings: (a.codec.shortName, b.codec.shortName),
      shapes: (a.shape.dimensions, b.shape.dimensions))
  }

  /// Reads both sides in full. The result has one entry a tensor name: those of both in the order of the first, then
  /// those that have no counterpart. Throws the errors of reading and decoding.
  public func run(resources: Resources, progress: @escaping ProgressHandler) throws -> [TensorDifference] {
    let comparisons = try pairs.map { try TensorComparison(first, $0.0, second, $0.1) }
    let units = SpanUnits(comparisons.map(\.run))
    let sums = Monitor(Array(repeating: ComparisonSums(), count: pairs.count))
    let done = Monitor(0)
    let total = comparisons.reduce(0) { $0 + $1.bytes($1.run.elements) }
    let largest = comparisons.map { $0.bytes(min($0.run.span, $0.run.elements)) }.max() ?? 0
    try OrderedPipeline.run(
      count: units.count, threads: resources.threads, window: resources.window(itemBytes: largest)
    ) { index in
      let unit = units[index]
      return try comparisons[unit.run].compare(unit.elements)
    } consume: { index, product in
      let unit = units[index]
      sums.withLock { $0[unit.run].merge(product) }
      let bytes = done.withLock { count in
        count += comparisons[unit.run].bytes(unit.elements.count)
        return count
      }
      progress(Progress(bytesDone: bytes, bytesTotal: total))
    }
    let results = sums.withLock { $0 }
    return zip(comparisons, results).map { $0.difference($1) } + unpaired
  }
}
