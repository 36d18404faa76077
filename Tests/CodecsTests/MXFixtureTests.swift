import TestSupport
import Testing

@testable import Codecs

/// Blocks that other libraries wrote, and what they made of them again.
@Suite(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout")) struct MXFixtureTests {
  /// The scale that torchao's rules give, over magnitudes around every boundary. Its RCEIL is `ceil` here.
  @Test(arguments: MXElement.allCases, [(ScaleRule.floor, "floor"), (.even, "even"), (.ceil, "rceil")])
  func chosenScales(element: MXElement, rule: (ours: ScaleRule, theirs: String)) throws {
    let sweep = try StoredTensors("mx-scale-rules/sweep.safetensors")
    let codec = MXCodec(element)
    let name = element == .e2m1 ? "fp4" : String(element.rawValue.dropFirst(2))
    let expected = try sweep.bytes("torchao_\(name)_\(rule.theirs)")
    for (largest, byte) in zip(try sweep.floats("amax"), expected) {
      let block = [largest] + [Float](repeating: 0, count: 31)
      let encoded = try EncodedTensor(codec, block, columns: 32, rule: rule.ours)
      #expect(encoded.planes[1] == [byte], "\(largest)")
    }
  }

  /// torchao rounds elements to nearest even and saturates, and stores a code of six bits in a byte.
  @Test(arguments: MXElement.allCases, [(ScaleRule.floor, "floor"), (.even, "even"), (.ceil, "rceil")])
  func encodesAndDecodesLikeTorchao(element: MXElement, rule: (ours: ScaleRule, theirs: String)) throws {
    let file = try StoredTensors("torchao-mx/to_mx.safetensors")
    let expected = try StoredTensors("torchao-mx/to_mx.expected.safetensors")
    let name = (element == .e2m1 ? "fp4" : String(element.rawValue.dropFirst(2))) + "_\(rule.theirs)"
    let codec = MXCodec(element)
    let encoded = try EncodedTensor(codec, try expected.floats("source"), columns: 64, rule: rule.ours)
    #expect(encoded.planes[1] == (try file.bytes("\(name)_scale")))
    let data = try file.bytes("\(name)_data")
    if element.bits == 6 {
      let codes = encoded.planes[0].withUnsafeBytes { row in
        (0..<encoded.elements).map { codec.layout.code($0, in: row) }
      }
      #expect(codes == data)
    } else {
      #expect(encoded.planes[0] == data)
    }
    #expect(bits(try encoded.decode()) == bits(try expected.floats("\(name)_dequant_f32")))
  }

  @Test func decodesGptOss() throws {
    let file = try StoredTensors("gpt-oss-mxfp4/original_names.safetensors")
    let expected = try StoredTensors("gpt-oss-mxfp4/original_names.expected.safetensors")
    for (name, rows, columns) in [("mlp1", 2 * 64, 64), ("mlp2", 2 * 64, 32)] {
      let planes = try ["blocks", "scales"].map { try file.bytes("block.0.mlp.\(name)_weight.\($0)") }
      let tensor = EncodedTensor(MXCodec(.e2m1), planes: planes, elements: rows * columns, columns: columns)
      #expect(bits(try tensor.decode()) == bits(try expected.floats("\(name)_f32")))
    }
  }

  @Test(arguments: [("mxfp4", MXElement.e2m1), ("mxfp8", .e4m3)])
  func decodesMLX(name: String, element: MXElement) throws {
    let file = try StoredTensors("mlx/\(name).safetensors")
    let expected = try StoredTensors("mlx/\(name).expected.safetensors")
    let planes = try ["weight", "scales"].map { try file.bytes("fc.\($0)") }
    let tensor = EncodedTensor(MXCodec(element), planes: planes, elements: 8 * 128, columns: 128)
    #expect(bits(try tensor.decode()) == bits(try expected.floats("dequant_f32")))
  }

  /// All scale bytes but 0xFF, which MLX reads as 2^128 and OCP as NaN.
  @Test func decodesEveryScaleLikeMLX() throws {
    let file = try StoredTensors("mlx/mxfp4_all_scale_bytes.safetensors")
    let expected = try StoredTensors("mlx/mxfp4_all_scale_bytes.expected.safetensors")
    let planes = [Array(try file.bytes("weight")[..<(255 * 16)]), Array(try file.bytes("scales")[..<255])]
    let tensor = EncodedTensor(MXCodec(.e2m1), planes: planes, elements: 255 * 32, columns: 32)
    #expect(bits(try tensor.decode()) == bits(Array(try expected.floats("dequant_f32")[..<(255 * 32)])))
  }
}
