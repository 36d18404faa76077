import ByteIO
import Codecs
import GGUF
import Safetensors
import Tensors
import TestSupport

/// What llama.cpp wrote: tensors of GGUF files, and the values that ggml decodes them to.
enum GGMLFixture {
  static func file(_ name: String) throws -> GGUFFile { try GGUFFile(Fixtures.shared("fixtures/gguf/\(name)")) }

  static func bytes(_ tensor: GGUFTensor, of file: GGUFFile) throws -> [UInt8] { try file.input.bytes(tensor.range) }

  /// The blocks of a tensor, to be decoded.
  static func encoded(_ tensor: GGUFTensor, of file: GGUFFile) throws -> EncodedTensor {
    EncodedTensor(
      try GGMLCodec(tensor.type), planes: [try bytes(tensor, of: file)], elements: tensor.shape.elements,
      columns: tensor.shape.columns)
  }

  /// A tensor of plain F32 or BF16.
  static func floats(_ bytes: [UInt8], _ dtype: DType) -> [Float] {
    let width = dtype == .f32 ? 4 : 2
    return stride(from: 0, to: bytes.count, by: width).map { start in
      var bits: UInt32 = 0
      for offset in 0..<width { bits |= UInt32(bytes[start + offset]) << UInt32(8 * (offset + 4 - width)) }
      return Float(bitPattern: bits)
    }
  }

  static func expected(_ name: String) throws -> [Float] {
    let file = try SafetensorsFile(Fixtures.shared("fixtures/gguf/all_types.expected.safetensors"))
    guard let tensor = file[name] else { return [] }
    return floats(try file.bytes(of: tensor), tensor.dtype)
  }
}
