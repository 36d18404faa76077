import ByteIO
import GGUF

/// Two GGUF files that should hold the same and don't.
struct TensorsDiffer: Error {
  var files: [String]
  var tensor: String
}

/// Compares the tensors of two GGUF files, which may be in another order: names, types, shapes and bytes.
struct SameTensors {
  private let first: GGUFFile
  private let second: GGUFFile

  init(_ first: String, _ second: String) throws {
    self.first = try GGUFFile(first)
    self.second = try GGUFFile(second)
  }

  /// The number of tensors. Throws `TensorsDiffer` at the first that isn't the same.
  func check() throws -> Int {
    let names = Set(first.tensors.map(\.name)).symmetricDifference(second.tensors.map(\.name))
    if let name = names.first { throw differ(name) }
    for tensor in first.tensors {
      guard let other = second.header.tensor(named: tensor.name), other.info == tensor.info, try bytes(tensor, other)
      else { throw differ(tensor.name) }
    }
    return first.tensors.count
  }

  private func bytes(_ a: GGUFTensor, _ b: GGUFTensor) throws -> Bool {
    let piece = 1 << 24
    for start in stride(from: 0, to: a.range.count, by: piece) {
      let count = min(piece, a.range.count - start)
      let own = try first.input.bytes(a.range.lowerBound + start..<a.range.lowerBound + start + count)
      let others = try second.input.bytes(b.range.lowerBound + start..<b.range.lowerBound + start + count)
      if own != others { return false }
    }
    return true
  }

  private func differ(_ tensor: String) -> TensorsDiffer {
    TensorsDiffer(files: [first.path, second.path], tensor: tensor)
  }
}
