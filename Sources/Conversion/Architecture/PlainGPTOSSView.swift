import Architectures
import ByteIO
import Checkpoints
import Codecs
import Tensors

/// A gpt-oss checkpoint with its experts decoded: as transformers has them then, inputs before outputs, where the
/// MXFP4 blocks run along the inputs of each output.
public struct PlainGPTOSSView: CheckpointView {
  public let tensors: [CheckpointTensor]
  public let source: any Checkpoint
  private let turned: [Int: TurnedMatrices]

  /// Nil if there are no such experts.
  /// - Parameter dtype: of the decoded experts.
  public init?(_ source: any Checkpoint, dtype: DType) {
    var (tensors, turned) = (source.tensors, [Int: TurnedMatrices]())
    for (index, tensor) in tensors.enumerated() where Self.isExperts(tensor) {
      let sides = tensor.shape.dimensions
      guard let shape = Shape([sides[0], sides[2], sides[1]]) else { continue }
      let matrix = MatrixShape(rows: sides[1], columns: sides[2])
      turned[index] = TurnedMatrices(
        reader: SpanReader(source, tensor: index), matrix: matrix, dtype: dtype,
        block: tensor.codec.alignment(columns: sides[2]))
      tensors[index] = CheckpointTensor(name: tensor.name, shape: shape, codec: PlainCodec(dtype))
    }
    guard !turned.isEmpty else { return nil }
    (self.source, self.tensors, self.turned) = (source, tensors, turned)
  }

  private static func isExperts(_ tensor: CheckpointTensor) -> Bool {
    tensor.codec.descriptor == MXCodec(.e2m1).descriptor && tensor.shape.rank == 3
      && ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"].contains { tensor.name.hasSuffix($0) }
  }

  public func read(
    _ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    guard let matrices = turned[tensor] else { return try source.read(tensor, elements: elements, into: planes) }
    try matrices.read(elements, into: planes[0])
    return [planes[0].count]
  }
}
