import TestSupport
import Testing

@testable import Codecs

/// Tensors that bitsandbytes 0.50 quantized, and what it made of them again.
@Suite(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout")) struct NormalFloatFixtureTests {
  static let names = ["nf4", "fp4"].flatMap { type in
    ["plain", "nested"].flatMap { level in ["float32", "float16", "bfloat16"].map { "\(type)_\(level)_\($0)" } }
  }.filter { $0 != "fp4_nested_bfloat16" }

  static let weight = "model.layers.0.mlp.down_proj.weight"

  private func stored(_ name: String) throws -> (tensor: EncodedTensor, expected: StoredTensors) {
    let file = try StoredTensors("bitsandbytes/\(name).safetensors")
    let expected = try StoredTensors("bitsandbytes/\(name).expected.safetensors")
    let table: Table4 = name.hasPrefix("nf4") ? .nf4 : .fp4
    var planes = [try file.bytes(Self.weight), try file.bytes("\(Self.weight).absmax")]
    var second: Int?
    if name.contains("nested") {
      second = 256
      planes.append(try file.bytes("\(Self.weight).nested_absmax"))
      planes.append(try file.bytes("\(Self.weight).nested_quant_map") + bytes([try offset(file, table)]))
    }
    let codec = try NormalFloatCodec(table, block: 64, second: second)
    return (EncodedTensor(codec, planes: planes, elements: 32 * 192, columns: 192), expected)
  }

  /// The number after "nested_offset" in the JSON text of the quantization state.
  private func offset(_ file: StoredTensors, _ table: Table4) throws -> Float {
    let json = String(decoding: try file.bytes("\(Self.weight).quant_state.bitsandbytes__\(table)"), as: UTF8.self)
    let field = json.split(separator: ",").first { $0.contains("nested_offset") }
    let number = field?.split(separator: ":").last?.filter { "0123456789.e-+".contains($0) }
    return try #require(number.flatMap { Float(String($0)) })
  }

  @Test(arguments: names) func decodesToTheSameBits(name: String) throws {
    let (tensor, expected) = try stored(name)
    let values = try expected.floats("weight_dequant_f32_from_f32")
    #expect(bits(try tensor.decodeReference()) == bits(values))
    #expect(bits(try tensor.decode()) == bits(values))
    #expect(try tensor.decodeBF16() == values.map(\.roundedToBF16))
  }

  @Test(arguments: names) func encodesToTheSameBytes(name: String) throws {
    let (tensor, expected) = try stored(name)
    let source = try expected.floats("source")
    let codec = try #require(tensor.codec as? NormalFloatCodec)
    let encoded = try EncodedTensor(codec, source, columns: 192)
    #expect(encoded.planes[0] == tensor.planes[0].map(withOneZero(codec.table)))
    if codec.second == nil {
      #expect(encoded.planes[1] == tensor.planes[1])
    } else {
      #expect(encoded.planes[3][..<1024] == tensor.planes[3][..<1024])
      #expect(relativeError(try encoded.decode(), source) < 0.03)
    }
  }

  /// bitsandbytes writes code 8 of FP4 for some zeros; the encoder writes code 0 for all.
  private func withOneZero(_ table: Table4) -> (UInt8) -> UInt8 {
    { byte in
      guard table == .fp4 else { return byte }
      return (byte & 0xF0 == 0x80 ? 0 : byte & 0xF0) | (byte & 0x0F == 0x08 ? 0 : byte & 0x0F)
    }
  }

  @Test func theMapOfByteScalesIsTheStoredOne() throws {
    let tables = try StoredTensors("bitsandbytes/tables.safetensors")
    #expect(bits(Dynamic8.values) == bits(try tables.floats("dynamic8")))
    #expect(bits(Table4.nf4.values) == bits(try tables.floats("nf4")))
  }
}
