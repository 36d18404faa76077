import ByteIO
import Checkpoints
import Codecs
import GGUF
import Tensors
import TestSupport

/// A GGUF file made for a test.
struct ModelFile {
  var metadata: GGUFMetadata
  var tensors: [GGUFTensorInfo] = []
  /// The bytes of tensors, by name; zeros for the others.
  var bytes: [String: [UInt8]] = [:]

  init(architecture: String, keys: [String: Int] = [:]) {
    metadata = ["general.architecture": .string(architecture)]
    for (key, value) in keys.sorted(by: { $0.key < $1.key }) {
      metadata["\(architecture).\(key)"] = .uint32(UInt32(clamping: value))
    }
  }

  mutating func add(_ name: String, _ dimensions: [Int], _ type: GGMLType = .bf16) {
    tensors.append(GGUFTensorInfo(name: name, type: type, shape: Shape(dimensions) ?? .scalar))
  }

  /// A tensor of F32.
  mutating func add(_ name: String, _ dimensions: [Int], values: [Float]) {
    add(name, dimensions, .f32)
    bytes[name] = values.withUnsafeBytes { Array($0) }
  }

  @discardableResult func write(_ path: String) throws -> String {
    let plan = try GGUFHeader.plan(metadata: metadata, tensors: tensors)
    let file = try OutputFile(path, overwrite: true)
    try file.write(plan.header, at: 0)
    for tensor in plan.tensors { try file.write(bytes[tensor.name] ?? [], at: tensor.range.lowerBound) }
    try file.commit(length: plan.fileSize)
    return path
  }
}

/// Normal numbers.
func normals(_ count: Int, seed: UInt64) -> [Float] {
  var random = SplitMix64(seed: seed)
  return (0..<count).map { _ in Float(random.normal() * 0.05) }
}
