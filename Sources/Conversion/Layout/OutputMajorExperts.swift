import Architectures
import Checkpoints
import Codecs
import Layouts
import Tensors

/// The plain experts of gpt-oss, which transformers keeps with inputs before outputs, turned over: as the blocks of
/// MXFP4 run along the inputs of an output.
struct OutputMajorExperts: CheckpointView {
  let tensors: [CheckpointTensor]
  let source: any Checkpoint
  private let turned: [Int: TurnedMatrices]

  /// Nil if there are none.
  init?(_ source: any Checkpoint) {
    var (tensors, turned) = (source.tensors, [Int: TurnedMatrices]())
    for (index, tensor) in tensors.enumerated() where GPTOSSWriter.isExperts(tensor.name, rank: tensor.shape.rank) {
      let sides = tensor.shape.dimensions
      guard let dtype = tensor.sourceDType, tensor.codec is PlainCodec || tensor.codec is SplitCodec,
        let shape = Shape([sides[0], sides[2], sides[1]])
      else { continue }
      turned[index] = TurnedMatrices(
        reader: SpanReader(source, tensor: index), matrix: MatrixShape(rows: sides[1], columns: sides[2]), dtype: dtype,
        block: 1)
      tensors[index] = CheckpointTensor(name: tensor.name, shape: shape, codec: PlainCodec(dtype))
    }
    guard !turned.isEmpty else { return nil }
    (self.source, self.tensors, self.turned) = (source, tensors, turned)
  }

  func read(
    _ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    guard let matrices = turned[tensor] else { return try source.read(tensor, elements: elements, into: planes) }
    try matrices.read(elements, into: planes[0])
    return [planes[0].count]
  }
}
