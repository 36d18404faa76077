import BaleFormat
import Checkpoints
import Codecs

/// Makes a part of a tensor as a whole, where its spans can't be encoded one by one: a matrix that a solver rounds
/// with its errors made up for, or one that is stored relative to others.
public protocol PartProducer: Sendable {
  /// Bytes that making a part keeps in memory, its result included.
  func memory(for part: PackPlan.Part, of tensor: PackPlan.Tensor) -> Int

  /// Makes the planes of a part. Called once for each part of the tensors that name this producer, in any order, on
  /// any thread; the result must depend on neither.
  /// - Parameter threads: how many threads the part may use.
  func produce(
    _ part: PackPlan.Part, of tensor: PackPlan.Tensor, from checkpoint: any Checkpoint, threads: Int
  ) throws -> ProducedPart
}

/// The bytes of a part.
public struct ProducedPart: Sendable {
  /// The bytes of each plane, for each span of the part's layout; none for `whole` planes.
  public var spans: [[[UInt8]]]
  /// The bytes of each `whole` plane, by plane; none for the others.
  public var wholePlanes: [[UInt8]]
  /// What it cost.
  public var statistics = ErrorStatistics()
  /// The same, measured in the outputs of the weight, where that is known.
  public var outputError = OutputError()

  /// - Parameter wholePlanes: nil where the codec has none.
  public init(spans: [[[UInt8]]], wholePlanes: [[UInt8]]? = nil) {
    self.spans = spans
    self.wholePlanes = wholePlanes ?? Array(repeating: [], count: spans.first?.count ?? 0)
  }

  /// Decodes the bytes, span by span, and adds up how far they are from the values that they were made of.
  public mutating func measure(
    against values: UnsafeBufferPointer<Float>, codec: any Codec, columns: Int, layout: PartLayout
  ) throws {
    for (index, span) in spans.enumerated() {
      let start = index * layout.spanElements
      let count = layout.elements(inSpan: index)
      let planes = span.indices.map { codec.planes[$0].extent == .whole ? wholePlanes[$0] : span[$0] }
      let decoded = try EncodedBytes(planes, elements: count, columns: columns).values(codec)
      decoded.withFloats {
        statistics.add(original: UnsafeBufferPointer(rebasing: values[start..<start + count]), decoded: $0)
      }
    }
  }
}

/// The squared error of a weight's outputs, for inputs like those of the calibration.
public struct OutputError: Sendable, Equatable {
  public var squaredError = 0.0
  public var squaredNorm = 0.0

  public init(squaredError: Double = 0, squaredNorm: Double = 0) {
    self.squaredError = squaredError
    self.squaredNorm = squaredNorm
  }

  public var relative: Double { squaredNorm == 0 ? 0 : squaredError / squaredNorm }

  public mutating func merge(_ next: OutputError) {
    squaredError += next.squaredError
    squaredNorm += next.squaredNorm
  }
}
