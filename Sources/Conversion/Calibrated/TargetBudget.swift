import Calibration
import Checkpoints
import Codecs

/// What a number of bits over all quantized tensors leaves the ones whose outliers fill up to it.
struct TargetBudget {
  /// Weights in SpQR by a solver, and the bits they take without outliers.
  private var filled = (weights: 0, bits: 0)
  /// Weights in encodings of one size, and the bits they take.
  private var fixed = (weights: 0, bits: 0)

  mutating func add(_ tensor: CheckpointTensor, _ codec: any Codec, method: Solver.Method?) {
    let (elements, columns) = (tensor.shape.elements, tensor.shape.columns)
    if let spqr = codec as? SpQRCodec, method == .gptq {
      let matrices = WeightName.matrices(of: tensor).count
      let bytes = spqr.bytesWithoutOutliers(elements: elements / max(matrices, 1), columns: columns)
      filled = (filled.weights + elements, filled.bits + matrices * bytes * 8)
    } else if !codec.planes.contains(where: { $0.extent == .variable }) {
      let bits = codec.planes.indices.reduce(0) {
        $0 + codec.bytes(plane: $1, elements: elements, columns: columns) * 8
      }
      fixed = (fixed.weights + elements, fixed.bits + bits)
    }
  }

  /// Bits a weight for the tensors that are filled up. Throws `PlanError` if the others and their dense parts take
  /// more than the target already.
  func bits(target: Double) throws(PlanError) -> Double {
    guard filled.weights > 0 else { return target }
    let weights = Double(filled.weights + fixed.weights)
    guard target * weights >= Double(filled.bits + fixed.bits) else {
      let least = Double((Double(filled.bits + fixed.bits) / weights * 1000).rounded(.up)) / 1000
      throw PlanError(reason: "the quantized tensors take \(least) bits a weight without outliers, and not \(target)")
    }
    return (target * weights - Double(fixed.bits)) / Double(filled.weights)
  }
}
