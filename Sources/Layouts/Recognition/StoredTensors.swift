import ByteIO
import Checkpoints
import Codecs
import JSON
import Tensors

/// The tensors of a file checkpoint by name, with what its configuration says: what layouts are recognised from.
public struct StoredTensors: Sendable {
  public let checkpoint: any FileCheckpoint
  public let configuration: QuantizationConfiguration
  /// In the order of the checkpoint, but for tensors without elements whose sides are beyond counting.
  public let all: [StoredTensor]
  private let positions: [String: Int]

  /// Reads the configuration files beside. Throws `IOError` or `LayoutError`.
  public init(_ checkpoint: any FileCheckpoint) throws {
    self.checkpoint = checkpoint
    configuration = try QuantizationConfiguration(checkpoint)
    all = checkpoint.tensors.enumerated().compactMap { index, tensor in
      guard let codec = tensor.codec as? PlainCodec, Self.isCountable(tensor.shape.dimensions) else { return nil }
      return StoredTensor(name: tensor.name, dtype: codec.dtype, shape: tensor.shape.dimensions, index: index)
    }
    positions = Dictionary(all.enumerated().map { ($1.name, $0) }) { first, _ in first }
  }

  /// True if sides, and products of some of them and of a few bits, can be counted: one that is 0 hides none.
  static func isCountable(_ dimensions: [Int]) -> Bool {
    dimensions.reduce(Optional(1)) { $1 < 0 ? nil : $0?.multiplied(by: max($1, 1)) }.map { $0 <= 1 << 48 } ?? false
  }

  public subscript(name: String) -> StoredTensor? { positions[name].map { all[$0] } }

  /// Tensors whose names end so, each with what stands before.
  public func ending(_ suffix: String) -> [(prefix: String, tensor: StoredTensor)] {
    all.filter { $0.name.hasSuffix(suffix) }.map { (String($0.name.dropLast(suffix.count)), $0) }
  }

  /// A tensor that must be there. Throws `LayoutReason.missing`, naming the logical tensor.
  public func required(_ name: String, of logical: String) throws(LayoutError) -> StoredTensor {
    guard let tensor = self[name] else { throw fault(.missing(name), logical) }
    return tensor
  }

  /// The bytes of a stored tensor.
  public func bytes(_ tensor: StoredTensor) -> StoredBytes {
    let location = checkpoint.locations[tensor.index][0]
    return StoredBytes(checkpoint.tensorFiles[location.file].file, location.range)
  }

  /// The bytes of a tensor that describes others, which is not large. Throws `IOError` or `LayoutError`.
  public func content(_ tensor: StoredTensor, atMost limit: Int = 1 << 24) throws -> [UInt8] {
    let bytes = bytes(tensor)
    guard bytes.count <= limit else {
      throw fault(.shape(stored: tensor.name, found: tensor.shape, expected: "at most \(limit) bytes"), tensor.name)
    }
    return try bytes.buffer(0..<bytes.count).withBytes { Array($0) }
  }

  public func fault(_ reason: LayoutReason, _ tensor: String?) -> LayoutError {
    Fault(reason, file: checkpoint.path, tensor: tensor)
  }

  /// Throws `LayoutReason.shape` unless a tensor has these dimensions.
  public func check(_ tensor: StoredTensor, _ shape: [Int], of logical: String) throws(LayoutError) {
    guard tensor.shape == shape else {
      throw fault(.shape(stored: tensor.name, found: tensor.shape, expected: "\(shape)"), logical)
    }
  }

  /// Throws `LayoutReason.dtype` unless a tensor's is among these.
  public func check(_ tensor: StoredTensor, _ dtypes: Set<DType>, of logical: String) throws(LayoutError) {
    guard dtypes.contains(tensor.dtype) else {
      let expected = dtypes.map(\.rawValue).sorted().joined(separator: " or ")
      throw fault(.dtype(stored: tensor.name, found: tensor.dtype.rawValue, expected: expected), logical)
    }
  }

  /// The type of scales. Throws `LayoutReason.dtype` unless it is F16, BF16 or F32.
  public func scalarType(_ tensor: StoredTensor, of logical: String) throws(LayoutError) -> ScalarFloat {
    try check(tensor, [.f16, .bf16, .f32], of: logical)
    return ScalarFloat(rawValue: tensor.dtype.rawValue) ?? .f32
  }

  /// Gives what an encoding can't do the name of the tensor.
  public func naming<T>(_ logical: String, _ body: () throws(CodecError) -> T) throws(LayoutError) -> T {
    do {
      return try body()
    } catch {
      throw fault(.value("\(error)"), logical)
    }
  }
}

extension StoredTensors {
  /// A shape whose sides can be counted. Throws `LayoutReason.value`.
  public func shape(_ dimensions: [Int], of logical: String) throws(LayoutError) -> Shape {
    guard Self.isCountable(dimensions), let shape = Shape(dimensions) else {
      throw fault(.value("the shape \(dimensions) can't be counted"), logical)
    }
    return shape
  }
}

extension Int {
  /// The product of three numbers; nil where it overflows.
  func multipliedExactly(_ second: Int, _ third: Int) -> Int? { multiplied(by: second)?.multiplied(by: third) }
}
