import Architectures
import ByteIO
import Calibration
import Checkpoints

/// Opening a file of statistics.
public enum CalibrationFile {
  /// Opens a safetensors file of second moments, or an importance matrix of llama.cpp (GGUF or the format before),
  /// and gives its statistics under the names of a model's weights. Experts that few tokens reached lean on their
  /// layer's others. Throws `CalibrationError`, the container's errors, or `IOError`.
  public static func open(_ path: String, for checkpoint: any Checkpoint) throws -> PooledCalibration {
    let input = try InputFile(path)
    let start = try input.bytes(0..<min(9, input.size))
    // A safetensors file begins with the length of a JSON object.
    if path.hasSuffix(".safetensors") || (start.count == 9 && start[8] == UInt8(ascii: "{")) {
      return PooledCalibration(try HessianFile(path))
    }
    return PooledCalibration(ImatrixStatistics(try ImportanceMatrix(path), weights: try weights(checkpoint)))
  }

  /// The GGUF tensors that a model's weights are in, or would be in. A model that isn't known as a Hugging Face one is
  /// taken to have GGUF's names.
  private static func weights(_ checkpoint: any Checkpoint) throws -> [ImatrixStatistics.Weight] {
    if let view = try GGUFView(checkpoint) { return view.weights }
    return checkpoint.tensors.flatMap { tensor in
      let matrices = WeightName.matrices(of: tensor)
      return matrices.enumerated().map {
        ImatrixStatistics.Weight(name: $1.name, entry: tensor.name, expert: $0, experts: matrices.count)
      }
    }
  }
}

extension GGUFView {
  /// Which matrix of the GGUF model each matrix of the source is.
  var weights: [ImatrixStatistics.Weight] { map.flatMap(weights) }

  private func weights(_ tensor: GGUFMappedTensor) -> [ImatrixStatistics.Weight] {
    guard tensor.shape.rank >= 2, case .concatenated = tensor.content else { return [] }
    let names = tensor.inputs.map { source.tensors[$0.tensor].name }
    let experts = tensor.shape.rank == 3 ? tensor.shape.dimensions[0] : 1
    let slices = names.count == 1 && experts > 1 ? (0..<experts).map { WeightName.slice($0, of: names[0]) } : names
    guard slices.count == experts else { return [] }
    return slices.enumerated().map {
      ImatrixStatistics.Weight(name: $1, entry: tensor.name, expert: $0, experts: experts)
    }
  }
}
