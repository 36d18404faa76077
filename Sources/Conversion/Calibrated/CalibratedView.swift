import ByteIO
import Checkpoints
import Codecs
import Pipeline
import Tensors

/// A checkpoint whose weights have the values that solvers give them, as plain floats: what a container that doesn't
/// know the solved encodings can hold.
public struct CalibratedView: CheckpointView {
  public let tensors: [CheckpointTensor]
  public let source: any Checkpoint
  private let plan: PackPlan
  /// By tensor of the source: its place in the plan, where a producer makes it.
  private let places: [Int: Int]
  private let parts: [Int: [PackPlan.Part]]
  private let cache: MatrixCache

  /// - Parameters:
  ///   - plan: a plan for packing the source.
  ///   - dtype: what solved weights are rounded to; nil is what they were.
  ///   - threads: threads that the solving of a matrix may use.
  public init(_ source: any Checkpoint, plan: PackPlan, dtype: DType?, threads: Int) {
    self.source = source
    self.plan = plan
    let solved = plan.tensors.indices.filter { plan.tensors[$0].producer != nil }
    places = Dictionary(uniqueKeysWithValues: solved.map { (plan.tensors[$0].source, $0) })
    parts = Dictionary(grouping: plan.records.flatMap(\.parts), by: \.tensor)
      .mapValues { $0.sorted { $0.slices.lowerBound < $1.slices.lowerBound } }
    cache = MatrixCache(threads: threads)
    let known = places
    tensors = source.tensors.enumerated().map { index, tensor in
      guard known[index] != nil else { return tensor }
      return CheckpointTensor(
        name: tensor.name, shape: tensor.shape, codec: PlainCodec(dtype ?? tensor.sourceDType ?? .bf16))
    }
  }

  public func read(
    _ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    guard let place = places[tensor], let dtype = (tensors[tensor].codec as? PlainCodec)?.dtype else {
      return try source.read(tensor, elements: elements, into: planes)
    }
    for part in parts[place] ?? [] {
      let wanted = elements.clamped(to: part.elements)
      if wanted.isEmpty { continue }
      let values = try cache.values(of: part, in: plan, from: source)
      try values.withUnsafeBufferPointer { values in
        let run = values[wanted.lowerBound - part.elements.lowerBound..<wanted.upperBound - part.elements.lowerBound]
        let offset = (wanted.lowerBound - elements.lowerBound) * dtype.bits / 8
        try Elements.convert(
          from: .f32, to: dtype, source: UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: run)),
          destination: UnsafeMutableRawBufferPointer(rebasing: planes[0][offset...].prefix(run.count * dtype.bits / 8)),
          count: run.count)
      }
    }
    return planes.map(\.count)
  }

  public func segments(of file: CheckpointFile) throws -> [SourceSegment] { [] }
  public func sha256(of file: CheckpointFile) throws -> [UInt8]? { nil }
}

/// The matrices that were solved last: those whose runs are being read. A matrix is solved once, by the first who
/// asks; others wait for it.
private final class MatrixCache: Sendable {
  private struct Entry {
    var part: PackPlan.Part
    var result: Result<[Float], any Error>?
  }

  private let threads: Int
  private let entries = Monitor<[Entry]>([])
  private static let kept = 2

  init(threads: Int) { self.threads = threads }

  func values(of part: PackPlan.Part, in plan: PackPlan, from checkpoint: any Checkpoint) throws -> [Float] {
    let isFirst = entries.withLock { entries in
      guard !entries.contains(where: { $0.part == part }) else { return false }
      while entries.count >= Self.kept, let old = entries.firstIndex(where: { $0.result != nil }) {
        entries.remove(at: old)
      }
      entries.append(Entry(part: part))
      return true
    }
    if isFirst {
      let result = Result { try decoded(part, in: plan, from: checkpoint) }
      entries.withLock { entries in
        if let index = entries.firstIndex(where: { $0.part == part }) { entries[index].result = result }
      }
      return try result.get()
    }
    let found = entries.wait { entries -> Result<[Float], any Error>?? in
      guard let entry = entries.first(where: { $0.part == part }) else { return .some(nil) }
      return entry.result.map { .some($0) }
    }
    // Given up before it was taken: it is solved again.
    return try found?.get() ?? values(of: part, in: plan, from: checkpoint)
  }

  private func decoded(
    _ part: PackPlan.Part, in plan: PackPlan, from checkpoint: any Checkpoint
  ) throws -> [Float] {
    let tensor = plan.tensors[part.tensor]
    guard let producer = tensor.producer else { return [] }
    let made = try producer.produce(part, of: tensor, from: checkpoint, threads: threads)
    var values: [Float] = []
    values.reserveCapacity(part.elements.count)
    for (index, span) in made.spans.enumerated() {
      let planes = span.indices.map { tensor.codec.planes[$0].extent == .whole ? made.wholePlanes[$0] : span[$0] }
      let bytes = EncodedBytes(
        planes, elements: part.layout.elements(inSpan: index), columns: tensor.shape.columns)
      values += try bytes.values(tensor.codec).withFloats { Array($0) }
    }
    return values
  }
}
