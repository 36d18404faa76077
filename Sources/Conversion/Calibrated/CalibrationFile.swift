import ByteIO
import Calibration
import Checkpoints

/// Opening a file of statistics.
public enum CalibrationFile {
  /// Opens a safetensors file of second moments, or an importance matrix of llama.cpp (GGUF or the format before),
  /// and gives its statistics under the names of a model's weights. Experts that few tokens reached lean on their
  /// layer's others. Throws `CalibrationError`, the container's errors, or `IOError`.
  public static func open(_ path: String, for checkpoint: any Checkpoint) throws -> PooledCalibration {
    let start = try InputFile(path)
    let magic = try start.bytes(0..<min(9, start.size))
    if magic.starts(with: Array("GGUF".utf8)) {
      return PooledCalibration(ImatrixStatistics(try ImatrixStatistics.gguf(path), weights: try weights(checkpoint)))
    }
    if path.hasSuffix(".safetensors") || magic.last == UInt8(ascii: "{") {
      return PooledCalibration(try HessianFile(path))
    }
    return PooledCalibration(ImatrixStatistics(try ImatrixStatistics.legacy(path), weights: try weights(checkpoint)))
  }

  /// The GGUF tensors that a model's weights are in, or would be in. A model that isn't known as a Hugging Face one is
  /// taken to have GGUF's names.
  private static func weights(
    _ checkpoint: any Checkpoint
  ) throws -> [(tensor: String, expert: Int, experts: Int, name: String)] {
    if let view = try GGUFView(checkpoint) { return view.weights }
    return checkpoint.tensors.flatMap { tensor in
      let matrices = WeightName.matrices(of: tensor)
      return matrices.enumerated().map { (tensor.name, $0, matrices.count, $1.name) }
    }
  }
}

extension GGUFView {
  /// For each matrix of the source that is a matrix of the GGUF model: the tensor's name there, the expert in it and of
  /// how many, and the matrix's own name.
  var weights: [(tensor: String, expert: Int, experts: Int, name: String)] {
    map.flatMap { tensor -> [(tensor: String, expert: Int, experts: Int, name: String)] in
      guard tensor.shape.rank >= 2, case .concatenated = tensor.content else { return [] }
      let inputs = tensor.inputs.map { source.tensors[$0.tensor] }
      guard let experts = tensor.shape.rank == 3 ? tensor.shape.dimensions.first : 1 else { return [] }
      if inputs.count == experts { return inputs.enumerated().map { (tensor.name, $0, experts, $1.name) } }
      guard let stack = inputs.first, inputs.count == 1 else { return [] }
      return (0..<experts).map { (tensor.name, $0, experts, WeightName.slice($0, of: stack.name)) }
    }
  }
}
