import Architectures
import ByteIO
import Checkpoints
import Codecs
import Layouts
import Tensors

/// A gpt-oss checkpoint with its experts decoded: as transformers has them then, inputs before outputs, where the
/// MXFP4 blocks run along the inputs of each output.
public struct PlainGPTOSSView: CheckpointView {
  private let turned: TurnedTensors

  public var tensors: [CheckpointTensor] { turned.tensors }
  public var source: any Checkpoint { turned.source }

  /// Nil if there are no such experts.
  /// - Parameter dtype: of the decoded experts.
  public init?(_ source: any Checkpoint, dtype: DType) {
    var turned = TurnedTensors(source)
    for (index, tensor) in source.tensors.enumerated() where Self.isExperts(tensor) {
      turned.turn(index, as: dtype, block: tensor.codec.alignment(columns: tensor.shape.columns))
    }
    guard !turned.isEmpty else { return nil }
    self.turned = turned
  }

  private static func isExperts(_ tensor: CheckpointTensor) -> Bool {
    tensor.codec.descriptor == MXCodec(.e2m1).descriptor
      && GPTOSSWriter.isExperts(tensor.name, rank: tensor.shape.rank)
  }

  public func read(
    _ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    try turned.read(tensor, elements: elements, into: planes)
  }
}
