import BaleFormat
import ByteIO
import Checkpoints
import Codecs
import Conversion
import Safetensors
import Tensors
import TestSupport

/// Whole jobs in a line each.
enum Jobs {
  static let tiny = Fixtures.samples + "/tiny-mixtral"

  @discardableResult static func pack(
    _ source: String, to path: String, recipe: String = "lossless", threads: Int = 2, memory: Int = 64 << 20,
    options: PackOptions = PackOptions()
  ) throws -> PackReport {
    try pack(source, to: path, recipe: Recipe(named: recipe), threads: threads, memory: memory, options: options)
  }

  @discardableResult static func pack(
    _ source: String, to path: String, recipe: Recipe, threads: Int = 2, memory: Int = 64 << 20,
    options: PackOptions = PackOptions()
  ) throws -> PackReport {
    let checkpoint = try Checkpoints.open(source)
    return try PackJob(checkpoint, plan: PackPlan(checkpoint, recipe: recipe), options: options)
      .run(to: path, resources: Resources(threads: threads, memory: memory)) { _ in }
  }

  @discardableResult static func unpack(
    _ path: String, to directory: String, threads: Int = 2, memory: Int = 64 << 20
  ) throws -> [RestoredFile] {
    try UnpackJob(BaleCheckpoint(path))
      .run(to: directory, overwrite: false, resources: Resources(threads: threads, memory: memory)) { _ in }
  }

  /// Converts to what the destination's ending says, a directory of safetensors otherwise.
  @discardableResult static func convert(
    _ source: String, to path: String, quantize: String? = nil, dequantized: DType? = nil, shardSize: Int? = nil,
    threads: Int = 2, memory: Int = 64 << 20
  ) throws -> ConvertReport {
    let checkpoint = try Checkpoints.open(source)
    let ending = Checkpoints.format(ofDestination: path)
    let format = ending ?? .safetensors
    let request = ConvertRequest(
      format: format, isSingleFile: ending != nil,
      recipe: try QuantizeType(quantize, dequantized: dequantized, format: format).recipe, dequantized: dequantized,
      shardSize: shardSize)
    let plan = try ConvertPlan(checkpoint, request: request)
    let destination = ConvertDestination(path: path, isSingleFile: ending != nil, overwrite: false)
    return try ConvertJob(checkpoint, plan: plan)
      .run(to: destination, resources: Resources(threads: threads, memory: memory)) { _ in }
  }

  /// The bytes of all files below a directory, by name.
  static func contents(_ directory: String) throws -> [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    for name in try Path.entries(of: directory) where !Path.isDirectory(Path.join(directory, name)) {
      result[name] = try Fixtures.bytes(Path.join(directory, name))
    }
    return result
  }

  /// The stored bytes of every tensor, with its dtype and shape.
  static func values(_ path: String) throws -> [String: StoredTensor] {
    let checkpoint = try Checkpoints.open(path)
    var result: [String: StoredTensor] = [:]
    for (index, tensor) in checkpoint.tensors.enumerated() {
      let bytes = try SpanReader(checkpoint, tensor: index).read(0..<tensor.shape.elements)
      result[tensor.name] = StoredTensor(
        encoding: "\(tensor.codec.descriptor)", shape: tensor.shape.dimensions,
        planes: bytes.allBytes)
    }
    return result
  }
}

extension EncodedBytes {
  /// The bytes of each plane.
  var allBytes: [[UInt8]] { withSpan { $0.planes.map { Array($0) } } }

  /// The values, of a run in F32.
  var allFloats: [Float] { withFloats { Array($0) } }
}

struct StoredTensor: Equatable {
  var encoding: String
  var shape: [Int]
  var planes: [[UInt8]]
}

/// A small safetensors file of random tensors.
struct Sample {
  var tensors: [SafetensorsWriter.Tensor] = []
  private var random: SplitMix64

  init(seed: UInt64 = 1) { random = SplitMix64(seed: seed) }

  mutating func add(_ name: String, _ dtype: DType, _ dimensions: [Int]) throws {
    let shape = Shape(dimensions) ?? .scalar
    var bytes = [UInt8](repeating: 0, count: dtype.bytes(elements: shape.elements) ?? 0)
    if dtype == .bf16 || dtype == .f32 {
      let size = dtype.bits / 8
      for index in 0..<shape.elements {
        let bits = Float(random.normal() * 0.02).bitPattern.littleEndian
        withUnsafeBytes(of: bits) { raw in
          for byte in 0..<size { bytes[index * size + byte] = raw[4 - size + byte] }
        }
      }
    } else {
      for index in bytes.indices { bytes[index] = UInt8.random(in: 0...(dtype == .bool ? 1 : 255), using: &random) }
    }
    tensors.append(SafetensorsWriter.Tensor(SafetensorsTensorSpec(name, dtype, shape), bytes))
  }

  mutating func add(_ name: String, _ values: [Float]) throws {
    let bytes = values.withUnsafeBytes { Array($0) }
    let shape = Shape([values.count]) ?? .scalar
    tensors.append(SafetensorsWriter.Tensor(SafetensorsTensorSpec(name, .f32, shape), bytes))
  }

  /// Zeroes the last byte of elements that may be NaN or infinite: random bits of floats.
  mutating func removeNaN() {
    for index in tensors.indices where tensors[index].spec.dtype.isFloat {
      let size = tensors[index].spec.dtype.bits / 8
      guard size > 0 else { continue }
      for byte in stride(from: size - 1, to: tensors[index].bytes.count, by: size) {
        tensors[index].bytes[byte] &= 0x3F
      }
    }
  }

  @discardableResult func write(_ path: String) throws -> String {
    try SafetensorsWriter.write(tensors, to: path)
    return path
  }
}
