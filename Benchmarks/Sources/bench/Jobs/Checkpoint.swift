import ByteIO
import Safetensors
import Tensors

/// A BF16 checkpoint in one safetensors file.
struct Checkpoint {
  private static let columns = 4096
  private static let expertRows = 4096

  /// Writes one of about `mebibytes` and returns its size in bytes  /// Writes one of about `mebibytes` with names and shapes of Mixtral: half of it one embedding, the rest experts, and
  /// a router. Returns its size in bytes.
  static func write(to path: String, mebibytes: Int) throws -> Int {
    try write(tensors(bytes: mebibytes << 20), to: path)
  }

  /// Writes tensors of numbers that look like weights, and returns the size of the file in bytes.
  static func write(_ tensors: [(name: String, shape: [Int])], to path: String) throws -> Int {
    let plan = try SafetensorsHeader.plan(
      tensors: tensors.compactMap { tensor in Shape(tensor.shape).map { SafetensorsTensorSpec(tensor.name, .bf16, $0) }
      })
    let output = try OutputFile(path, size: plan.fileSize, overwrite: true)
    try output.write(plan.headerBytes, at: 0)
    var values = NormalBF16(seed: 7)
    var offset = plan.headerBytes.count
    var piece = [UInt16](repeating: 0, count: 1 << 19)
    while offset < plan.fileSize {
      for index in piece.indices { piece[index] = values.next() }
      let count = min(piece.count * 2, plan.fileSize - offset)
      try piece.withUnsafeBytes { try output.write(UnsafeRawBufferPointer(rebasing: $0[..<count]), at: offset) }
      offset += count
    }
    try output.commit(length: plan.fileSize)
    return plan.fileSize
  }

  private static func tensors(bytes: Int) -> [(name: String, shape: [Int])] {
    let rowBytes = columns * 2
    let matrices = max(1, bytes / 2 / (expertRows * rowBytes))
    let experts = (0..<matrices).map { index in
      let place = "model.layers.\(index / 24).block_sparse_moe.experts.\(index % 24 / 3).w\(index % 3 + 1)"
      return ("\(place).weight", [expertRows, columns])
    }
    let others = [
      ("model.embed_tokens.weight", [max(1, bytes / 2 / rowBytes), columns]),
      ("model.layers.0.block_sparse_moe.gate.weight", [8, columns]),
    ]
    return others + experts
  }
}
