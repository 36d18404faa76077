import ByteIO
import Safetensors
import Tensors
import TestSupport

@testable import Codecs

/// Tensors of a fixture, by name.
struct StoredTensors {
  let file: SafetensorsFile

  init(path: String) throws { file = try SafetensorsFile(path) }

  /// A file of shared/fixtures.
  init(_ path: String) throws { file = try SafetensorsFile(Fixtures.shared("fixtures/\(path)")) }

  func bytes(_ name: String) throws -> [UInt8] {
    guard let tensor = file[name] else { throw CodecError.descriptor(name, reason: "not in the fixture") }
    return try file.bytes(of: tensor)
  }

  /// The values of a float tensor as F32.
  func floats(_ name: String) throws -> [Float] {
    guard let tensor = file[name] else { throw CodecError.descriptor(name, reason: "not in the fixture") }
    let bytes = try file.bytes(of: tensor)
    return try [Float](unsafeUninitializedCapacity: tensor.shape.elements) { output, count in
      let values = UnsafeMutableBufferPointer(rebasing: output[..<tensor.shape.elements])
      try bytes.withUnsafeBytes { try Elements.decode(tensor.dtype, $0, into: values) }
      count = tensor.shape.elements
    }
  }
}

/// Little-endian F32.
func bytes(_ values: [Float]) -> [UInt8] {
  values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
}
