import Architectures
import Checkpoints
import Codecs
import Layouts
import Tensors

/// The plain experts of gpt-oss, which transformers keeps with inputs before outputs, turned over: as the blocks of
/// MXFP4 run along the inputs of an output.
struct OutputMajorExperts: CheckpointView {
  private let turned: TurnedTensors

  var tensors: [CheckpointTensor] { turned.tensors }
  var source: any Checkpoint { turned.source }

  /// Nil if there are none.
  init?(_ source: any Checkpoint) {
    var turned = TurnedTensors(source)
    for (index, tensor) in source.tensors.enumerated()
    where GPTOSSWriter.isExperts(tensor.name, rank: tensor.shape.rank) {
      guard let dtype = tensor.sourceDType, tensor.codec is PlainCodec || tensor.codec is SplitCodec else { continue }
      turned.turn(index, as: dtype, block: 1)
    }
    guard !turned.isEmpty else { return nil }
    self.turned = turned
  }

  func read(
    _ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    try turned.read(tensor, elements: elements, into: planes)
  }
}
