import TestSupport
import Testing

@testable import Codecs

@Suite struct FP8KernelTests {
  static let sides: [(rows: FP8Codec.Side, columns: FP8Codec.Side)] = [
    (.all, .all), (.count(1), .all), (.count(16), .count(24)), (.all, .count(7)), (.count(3), .count(1)),
  ]

  /// Every code, in rectangles that end inside the tensor and beyond it.
  @Test(arguments: FP8Element.allCases, FP8Scale.allCases)
  func decodesEveryCodeLikeTheReference(element: FP8Element, scale: FP8Scale) throws {
    for side in Self.sides {
      let codec = try FP8Codec(element, scale: scale, rows: side.rows, columns: side.columns)
      let (rows, columns) = (37, 53)
      let codes = (0..<rows * columns).map { UInt8($0 * 7 % 256) }
      var random = SplitMix64(seed: 3)
      let count = codec.bytes(plane: 1, elements: rows * columns, columns: columns)
      var scales = (0..<count).map { _ in UInt8.random(in: 0...0x70, using: &random) }
      if scale == .e8m0 { for index in scales.indices { scales[index] = UInt8(index * 5 % 255) } }
      let tensor = EncodedTensor(codec, planes: [codes, scales], elements: rows * columns, columns: columns)
      let expected = try tensor.decodeReference()
      #expect(bits(try tensor.decode()) == bits(expected))
      #expect(try tensor.decodeBF16() == expected.map(\.roundedToBF16))
    }
  }

  @Test(arguments: FP8Element.allCases, FP8Scale.allCases)
  func encodesLikeTheReference(element: FP8Element, scale: FP8Scale) throws {
    for side in Self.sides {
      let codec = try FP8Codec(element, scale: scale, rows: side.rows, columns: side.columns)
      for power in [-149, -120, 0, 115] {
        var values = weights(53 * 37, seed: 9)
        for index in values.indices { values[index] *= Float(sign: .plus, exponent: power, significand: 1) }
        for column in 0..<53 { values[53 * 4 + column] = column % 2 == 0 ? 0 : -0.0 }
        let fast = try EncodedTensor(codec, values, columns: 53)
        let plain = try EncodedTensor(codec, values, columns: 53, by: codec.encodeReference)
        #expect(fast.planes == plain.planes)
        #expect(try fast.decode().allSatisfy(\.isFinite))
      }
    }
  }

  /// Three or two bits of mantissa: half a unit of the last place is 2^-4 or 2^-3 of a value.
  @Test(arguments: FP8Element.allCases)
  func errorIsThatOfTheElement(element: FP8Element) throws {
    let values = weights(256 * 256, seed: 2)
    for scale in FP8Scale.allCases {
      let codec = try FP8Codec(element, scale: scale, rows: .count(128), columns: .count(128))
      let error = relativeError(try EncodedTensor(codec, values, columns: 256).decode(), values)
      #expect(error < (element == .e4m3 || element == .e4m3fnuz ? 0.0009 : 0.0035))
    }
  }

  @Test func refusesScalesThatAreNotFinite() throws {
    for (scale, plane) in [
      (FP8Scale.f32, bytes([1, .infinity])), (.bf16, [0x80, 0x3F, 0xC0, 0x7F]), (.f16, [0, 0x3C, 0, 0x7C]),
      (.e8m0, [127, 255]),
    ] {
      let codec = try FP8Codec(scale: scale, rows: .count(1))
      let tensor = EncodedTensor(codec, planes: [[1, 2, 3, 4], plane], elements: 4, columns: 2)
      let expected = CodecError.value(
        codec: "\(codec.descriptor)", plane: .scales, offset: scale.bytes, reason: "the scale is not finite")
      #expect(throws: expected) { try tensor.decode() }
      #expect(throws: expected) { try tensor.decodeReference() }
      #expect(throws: expected) { try tensor.decodeBF16() }
    }
  }

  @Test func refusesWhatItCantHold() throws {
    for codec in [try FP8Codec(), try FP8Codec(rows: .count(2), columns: .count(2))] {
      var values = weights(64, seed: 1)
      values[37] = .nan
      let error = #expect(throws: CodecError.self) { try EncodedTensor(codec, values, columns: 8) }
      guard case .unencodable(_, 37, _) = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
    }
    #expect(throws: CodecError.self) { try EncodedTensor(try FP8Codec(), [1, 2], columns: 2, rule: .floor) }
  }
}

/// The worked example of specs/codecs/fp8.md, computed by hand from its tables.
@Suite struct FP8GoldenTests {
  @Test func blocks() throws {
    let codec = try FP8Codec(rows: .count(2), columns: .count(2))
    let values: [Float] = [448, -1, 7, 0, 0, 224, -3.5, 0, 0, 0, 896, -1]
    let tensor = try EncodedTensor(codec, values, columns: 4)
    #expect(tensor.planes[0] == [0x7E, 0xB8, 0x7E, 0x00, 0x00, 0x76, 0xF6, 0x00, 0x00, 0x00, 0x7E, 0xB0])
    #expect(tensor.planes[1] == bytes([1, 0.015625, 1, 2]))
    #expect(try tensor.decode() == values)
  }

  @Test func descriptors() throws {
    #expect(try CodecRegistry.codec("fp8").descriptor.description == "fp8:element=E4M3,scale=F32,rows=all,columns=all")
    let text = "fp8:element=E5M2FNUZ,scale=E8M0,rows=128,columns=64"
    #expect(try CodecRegistry.codec(text).descriptor.description == text)
    for bad in ["fp8:rows=0", "fp8:rows=x", "fp8:columns=4294967297", "fp8:element=E3M2", "fp8:scale=F64"] {
      #expect(throws: CodecError.self) { try CodecRegistry.codec(bad) }
    }
  }

  @Test func bytesPerPlane() throws {
    let block = try FP8Codec(rows: .count(128), columns: .count(128))
    #expect(block.alignment(columns: 200) == 128 * 200)
    #expect(block.bytes(plane: 1, elements: 300 * 200, columns: 200) == 3 * 2 * 4)
    #expect(block.planes[1].extent == .perSpan)
    let tensor = try FP8Codec(scale: .bf16)
    #expect(tensor.alignment(columns: 200) == 1)
    #expect(tensor.bytes(plane: 1, elements: 0, columns: 0) == 2)
    #expect(tensor.planes[1].extent == .whole)
    let channel = try FP8Codec(scale: .f16, rows: .count(1))
    #expect(channel.alignment(columns: 200) == 200)
    #expect(channel.bytes(plane: 1, elements: 300 * 200, columns: 200) == 600)
  }
}

/// Tensors that other libraries wrote, and what they made of them again.
@Suite(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout")) struct FP8FixtureTests {
  static let module = "model.layers.0.mlp.down_proj."

  @Test(arguments: [
    ("fp8/deepseek_v3_block128", module, "weight_scale_inv", "fp8:rows=128,columns=128", 256),
    ("fp8/deepseek_v4_ue8m0", "w.", "scale", "fp8:scale=E8M0,rows=128,columns=128", 256),
    ("fp8/per_tensor_static", "w.", "weight_scale", "fp8", 64),
    ("quanto/qfloat8", "0.", "weight._scale", "fp8:rows=1", 256),
  ])
  func decodes(file: String, prefix: String, scale: String, codec: String, columns: Int) throws {
    let stored = try StoredTensors("\(file).safetensors")
    let codes = file.hasPrefix("quanto") ? "weight._data" : "weight"
    let planes = try [codes, scale].map { try stored.bytes(prefix + $0) }
    let tensor = EncodedTensor(
      try CodecRegistry.codec(codec), planes: planes, elements: planes[0].count, columns: columns)
    let expected = try StoredTensors("\(file).expected.safetensors").floats("dequant_f32")
    #expect(bits(try tensor.decode()) == bits(expected))
  }

  /// compressed-tensors computes in BF16, which rounds the product of two numbers once.
  @Test(arguments: [
    ("block", "rows=32,columns=32", 80), ("channel", "rows=1,columns=all", 64), ("tensor", "rows=all,columns=all", 64),
  ])
  func decodesLikeCompressedTensors(strategy: String, sides: String, columns: Int) throws {
    let file = "compressed-tensors/float_\(strategy)_fp8"
    let stored = try StoredTensors("\(file).safetensors")
    let planes = try ["weight", "weight_scale"].map { try stored.bytes(Self.module + $0) }
    let tensor = EncodedTensor(
      try CodecRegistry.codec("fp8:scale=BF16,\(sides)"), planes: planes, elements: planes[0].count,
      columns: columns)
    let expected = try StoredTensors("\(file).expected.safetensors").floats("weight_decompressed")
    #expect(try tensor.decodeBF16() == expected.map(\.roundedToBF16))
  }
}
