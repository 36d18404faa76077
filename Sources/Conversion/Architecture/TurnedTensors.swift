import Architectures
import Checkpoints
import Codecs
import Tensors

/// The tensors of a checkpoint, some of whose stacks of matrices are turned over.
struct TurnedTensors {
  let source: any Checkpoint
  private(set) var tensors: [CheckpointTensor]
  private var turned: [Int: TurnedMatrices] = [:]

  init(_ source: any Checkpoint) { (self.source, tensors) = (source, source.tensors) }

  /// True if none is.
  var isEmpty: Bool { turned.isEmpty }

  /// Turns a tensor of three dimensions over.
  /// - Parameters:
  ///   - dtype: of the result.
  ///   - block: columns that are decoded together.
  mutating func turn(_ index: Int, as dtype: DType, block: Int) {
    let sides = source.tensors[index].shape.dimensions
    guard let shape = Shape([sides[0], sides[2], sides[1]]) else { return }
    turned[index] = TurnedMatrices(
      reader: SpanReader(source, tensor: index), matrix: MatrixShape(rows: sides[1], columns: sides[2]), dtype: dtype,
      block: block)
    tensors[index] = CheckpointTensor(name: tensors[index].name, shape: shape, codec: PlainCodec(dtype))
  }

  func read(
    _ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    guard let matrices = turned[tensor] else { return try source.read(tensor, elements: elements, into: planes) }
    try matrices.read(elements, into: planes[0])
    return [planes[0].count]
  }
}
