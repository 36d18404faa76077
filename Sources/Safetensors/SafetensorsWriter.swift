import ByteIO

/// Writes whole safetensors files from memory, for small ones; a large one is streamed along its `SafetensorsPlan`.
public enum SafetensorsWriter {
  /// A tensor and its bytes.
  public struct Tensor: Sendable {
    public var spec: SafetensorsTensorSpec
    public var bytes: [UInt8]

    public init(_ spec: SafetensorsTensorSpec, _ bytes: [UInt8]) {
      self.spec = spec
      self.bytes = bytes
    }
  }

  /// The bytes of a file. Throws what `SafetensorsHeader.plan` throws, and `invalidTensorView`.
  public static func encode(
    _ tensors: [Tensor], metadata: [SafetensorsMetadataEntry]? = nil, order: SafetensorsOrder = .canonical
  ) throws -> [UInt8] {
    let plan = try plan(tensors, metadata, order, file: "new safetensors file")
    return plan.headerBytes + plan.fileOrder.flatMap { tensors[$0].bytes }
  }

  /// Writes a file: it appears under its name when it is complete. Throws what `encode` throws, and `IOError`.
  public static func write(
    _ tensors: [Tensor], metadata: [SafetensorsMetadataEntry]? = nil, order: SafetensorsOrder = .canonical,
    to path: String, overwrite: Bool = false
  ) throws {
    let plan = try plan(tensors, metadata, order, file: path)
    let output = try OutputFile(path, size: plan.fileSize, overwrite: overwrite)
    try output.write(plan.headerBytes, at: 0)
    for (tensor, range) in zip(tensors, plan.ranges) { try output.write(tensor.bytes, at: range.lowerBound) }
    try output.commit(length: plan.fileSize)
  }

  private static func plan(
    _ tensors: [Tensor], _ metadata: [SafetensorsMetadataEntry]?, _ order: SafetensorsOrder, file: String
  ) throws -> SafetensorsPlan {
    let plan = try SafetensorsHeader.plan(tensors: tensors.map(\.spec), metadata: metadata, order: order, file: file)
    for (tensor, range) in zip(tensors, plan.ranges) where tensor.bytes.count != range.count {
      throw SafetensorsError(
        .invalidTensorView(expected: range.count, found: tensor.bytes.count), file: file, tensor: tensor.spec.name)
    }
    return plan
  }
}
