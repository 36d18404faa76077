import ByteIO
import Safetensors
import Tensors

/// A BF16 checkpoint with names and shapes of Mixtral: half of it one embedding, the rest experts, and a router.
struct Checkpoint {
  private static let columns = 4096
  private static let expertRows = 4096

  /// Writes one of about `mebibytes` and returns its size in bytes.
  static func write(to path: String, mebibytes: Int) throws -> Int {
    let plan = try SafetensorsHeader.plan(tensors: tensors(bytes: mebibytes << 20))
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

  private static func tensors(bytes: Int) -> [SafetensorsTensorSpec] {
    func spec(_ name: String, rows: Int) -> SafetensorsTensorSpec? {
      Shape([rows, columns]).map { SafetensorsTensorSpec(name, .bf16, $0) }
    }
    let rowBytes = columns * 2
    let matrices = max(1, bytes / 2 / (expertRows * rowBytes))
    let experts = (0..<matrices).map { index in
      let place = "model.layers.\(index / 24).block_sparse_moe.experts.\(index % 24 / 3).w\(index % 3 + 1)"
      return spec("\(place).weight", rows: expertRows)
    }
    let others = [
      spec("model.embed_tokens.weight", rows: max(1, bytes / 2 / rowBytes)),
      spec("model.layers.0.block_sparse_moe.gate.weight", rows: 8),
    ]
    return (others + experts).compactMap { $0 }
  }
}
