import Checkpoints
import Tensors

/// The names by which statistics know weights.
public enum WeightName {
  /// The name of an expert's slice of a stack: `P.experts.Q` becomes `P.experts.3.Q`, and GGUF's `blk.0.ffn_up_exps.R`
  /// becomes `blk.0.experts.3.ffn_up_exps.R`.
  public static func slice(_ expert: Int, of name: String) -> String {
    var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    if let index = parts.lastIndex(of: "experts") {
      parts.insert("\(expert)", at: index + 1)
    } else if let index = parts.lastIndex(where: { $0.hasSuffix("_exps") }) {
      parts.insert(contentsOf: ["experts", "\(expert)"], at: index)
    } else {
      parts.append("\(expert)")
    }
    return parts.joined(separator: ".")
  }

  /// The matrices of a tensor with their names: the slices of a stack of experts, or the tensor itself.
  public static func matrices(of tensor: CheckpointTensor) -> [(name: String, columns: Int)] {
    let columns = tensor.shape.columns
    guard case .expert(_, nil, _) = tensor.role, let experts = tensor.shape.dimensions.first else {
      return [(tensor.name, columns)]
    }
    return (0..<experts).map { (slice($0, of: tensor.name), columns) }
  }
}
