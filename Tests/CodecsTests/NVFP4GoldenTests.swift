import TestSupport
import Testing

@testable import Codecs

/// The worked examples of specs/codecs/nvfp4.md, computed by hand from its tables.
@Suite struct NVFP4GoldenTests {
  @Test func encodes() throws {
    let values: [Float] = [2688, -448, 0, -0.0]
    let tensor = try EncodedTensor(NVFP4Codec(), values, columns: 4, rule: .absmax)
    #expect(tensor.planes == [[0xA7, 0x80], [0x7E], bytes([1])])
  }

  @Test(arguments: [
    (NVFP4Codec.Global.multiply, Float(0.5)), (.divide, 2), (.absmax, 1344), (.none, 1),
  ])
  func decodes(global: NVFP4Codec.Global, factor: Float) throws {
    let planes = [[UInt8(0xF1), 0x87], [0x39]] + (global == .none ? [] : [bytes([factor])])
    let tensor = EncodedTensor(NVFP4Codec(global: global), planes: planes, elements: 4, columns: 4)
    let scale: Float = global == .none ? 1.125 : 0.5625
    #expect(bits(try tensor.decode()) == bits([0.5 * scale, -6 * scale, 6 * scale, -0.0]))
    let unsigned = EncodedTensor(
      NVFP4Codec(global: global, zero: .unsigned), planes: planes, elements: 4, columns: 4)
    #expect(bits(try unsigned.decode()) == bits([0.5 * scale, -6 * scale, 6 * scale, 0]))
  }

  @Test func descriptors() throws {
    #expect(try CodecRegistry.codec("nvfp4").descriptor.description == "nvfp4:global=multiply,zero=signed")
    #expect(
      try CodecRegistry.codec("nvfp4:zero=unsigned,global=none").descriptor.description
        == "nvfp4:global=none,zero=unsigned")
    #expect(throws: CodecError.self) { try CodecRegistry.codec("nvfp4:global=some") }
    #expect(throws: CodecError.self) { try CodecRegistry.codec("nvfp4:block=32") }
  }

  @Test func bytesPerPlane() {
    let codec = NVFP4Codec()
    #expect(codec.alignment(columns: 48) == 16)
    #expect(codec.alignment(columns: 17) == 17)
    #expect(codec.bytes(plane: 0, elements: 34, columns: 17) == 18)
    #expect(codec.bytes(plane: 1, elements: 34, columns: 17) == 4)
    #expect(codec.bytes(plane: 2, elements: 34, columns: 17) == 4)
    #expect(codec.bytes(plane: 0, elements: 0, columns: 0) == 0)
  }
}

/// Blocks that other libraries wrote, and what they made of them again.
@Suite(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout")) struct NVFP4FixtureTests {
  static let module = "model.layers.0.mlp.down_proj."

  @Test func decodesLikeModelopt() throws {
    let tensor = try tensor(
      "modelopt/nvfp4", NVFP4Codec(global: .multiply, zero: .unsigned),
      ["weight", "weight_scale", "weight_scale_2"].map { Self.module + $0 }, rows: 16, columns: 64)
    let expected = try StoredTensors("modelopt/nvfp4.expected.safetensors").floats("dequant_f32")
    #expect(bits(try tensor.decode()) == bits(expected))
  }

  /// compressed-tensors gives BF16.
  @Test func decodesLikeCompressedTensors() throws {
    let tensor = try tensor(
      "compressed-tensors/nvfp4", NVFP4Codec(global: .divide),
      ["weight_packed", "weight_scale", "weight_global_scale"].map { Self.module + $0 }, rows: 16, columns: 64)
    let expected = try StoredTensors("compressed-tensors/nvfp4.expected.safetensors").floats("weight_decompressed")
    #expect(try tensor.decodeBF16() == expected.map(\.roundedToBF16))
  }

  @Test func decodesLikeMLX() throws {
    for (file, global) in [("nvfp4", NVFP4Codec.Global.none), ("nvfp4_global_scale", .absmax)] {
      let names = ["fc.weight", "fc.scales"] + (global == .none ? [] : ["fc.global_scale"])
      let tensor = try tensor("mlx/\(file)", NVFP4Codec(global: global), names, rows: 8, columns: 128)
      let expected = try StoredTensors("mlx/\(file).expected.safetensors").floats("dequant_f32")
      #expect(bits(try tensor.decode()) == bits(expected))
    }
  }

  private func tensor(
    _ file: String, _ codec: NVFP4Codec, _ names: [String], rows: Int, columns: Int
  ) throws -> EncodedTensor {
    let file = try StoredTensors("\(file).safetensors")
    return EncodedTensor(
      codec, planes: try names.map { try file.bytes($0) }, elements: rows * columns, columns: columns)
  }
}
