import Checkpoints
import Codecs
import Conversion
import Tensors

/// Sums over compared elements.
struct ComparisonSums: Sendable {
  var differing = 0
  var error = ErrorStatistics()
  /// Sum of squares of the second side.
  var otherNorm = 0.0

  mutating func merge(_ next: ComparisonSums) {
    differing += next.differing
    error.merge(next.error)
    otherNorm += next.otherNorm
  }
}

/// Compares one tensor of two checkpoints, run by run.
struct TensorComparison: Sendable {
  let run: SpanUnits.Run
  private let first: SpanReader
  private let second: SpanReader
  private let tensors: (CheckpointTensor, CheckpointTensor)
  private let exact: ExactValues?

  init(_ a: any Checkpoint, _ i: Int, _ b: any Checkpoint, _ j: Int) throws {
    first = SpanReader(a, tensor: i)
    second = SpanReader(b, tensor: j)
    tensors = (a.tensors[i], b.tensors[j])
    exact = ExactValues(first.codec, second.codec)
    let span = SpanRule.elements([first.codec, second.codec], columns: first.columns)
    run = SpanUnits.Run(elements: first.elements, span: span)
  }

  /// Bytes that both sides take for that many elements.
  func bytes(_ elements: Int) -> Int {
    first.codec.byteCount(elements: elements, columns: first.columns)
      + second.codec.byteCount(elements: elements, columns: second.columns)
  }

  func compare(_ elements: Range<Int>) throws -> ComparisonSums {
    if elements.isEmpty { return ComparisonSums() }
    guard first.isRun(elements), second.isRun(elements) else { return try compareValues(elements) }
    let a = try first.read(elements)
    let b = try second.read(elements)
    let areEqual = first.codec.descriptor == second.codec.descriptor && a.isEqual(to: b)
    // The only span of a tensor needs no figures where nothing differs; of several, another may.
    if areEqual && run.elements <= run.span { return ComparisonSums() }
    do {
      if let exact, !exact.hasFloats {
        return ComparisonSums(differing: try exact.differing(a, first.codec, b, second.codec))
      }
      let x = try a.values(first.codec)
      let y = try b.values(second.codec)
      var sums = x.withFloats { x in y.withFloats { Self.sums(x, $0) } }
      if let exact { sums.differing = try exact.differing(a, first.codec, b, second.codec) }
      return sums
    } catch let error as CodecError {
      throw TensorError(tensor: tensors.0.name, file: first.checkpoint.path, error: error)
    }
  }

  /// Of elements that one of the sides can't read by themselves. Such an encoding's values are F32.
  private func compareValues(_ elements: Range<Int>) throws -> ComparisonSums {
    do {
      let (x, y) = (try first.values(elements), try second.values(elements))
      return x.withFloats { x in y.withFloats { Self.sums(x, $0) } }
    } catch let error as CodecError {
      throw TensorError(tensor: tensors.0.name, file: first.checkpoint.path, error: error)
    }
  }

  private static func sums(_ x: UnsafeBufferPointer<Float>, _ y: UnsafeBufferPointer<Float>) -> ComparisonSums {
    var sums = ComparisonSums()
    for index in x.indices where x[index].bitPattern != y[index].bitPattern { sums.differing += 1 }
    sums.error.add(original: x, decoded: y)
    var other = ErrorStatistics()
    other.add(original: y, decoded: y)
    sums.otherNorm = other.squaredNorm
    return sums
  }

  func difference(_ sums: ComparisonSums) -> TensorDifference {
    let shape = tensors.0.shape.dimensions
    var difference = TensorDifference(
      name: tensors.0.name, kind: sums.differing == 0 ? .identical : .values,
      encodings: (tensors.0.codec.shortName, tensors.1.codec.shortName), shapes: (shape, shape))
    guard sums.differing > 0 else { return difference }
    difference.differing = sums.differing
    difference.relativeMSE = sums.error.relativeMSE
    difference.maximumError = sums.error.maximumError
    let product = (sums.error.squaredNorm * sums.otherNorm).squareRoot()
    let inner = (sums.error.squaredNorm + sums.otherNorm - sums.error.squaredError) / 2
    difference.cosine = product == 0 ? 0 : inner / product
    return difference
  }
}
