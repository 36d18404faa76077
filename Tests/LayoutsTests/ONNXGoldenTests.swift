import ByteIO
import Checkpoints
import Codecs
import Conversion
import Layouts
import TestSupport
import Testing

/// Models that Scripts/layouts/make-onnx-goldens.py made, with what ONNX Runtime makes of them.
@Suite struct ONNXGoldenTests {
  private static let folder = Fixtures.root + "/Tests/LayoutsTests/Goldens/onnx"
  private static let models = [
    "qdq.onnx", "qdq_floats.onnx", "qdq_stored.onnx", "qdq_trained.onnx", "matmulnbits.onnx", "external",
  ]

  private func expected(_ model: String) throws -> SafetensorsCheckpoint {
    let name = model.hasSuffix(".onnx") ? String(model.dropLast(5)) : model
    return try SafetensorsCheckpoint("\(Self.folder)/\(name).expected.safetensors")
  }

  private func values(_ checkpoint: any Checkpoint, _ name: String) throws -> [UInt32] {
    let index = try #require(checkpoint.tensors.firstIndex { $0.name == name })
    let reader = SpanReader(checkpoint, tensor: index)
    return try reader.read(0..<reader.elements).values(reader.codec).withFloats { $0.map(\.bitPattern) }
  }

  @Test(arguments: models) func decodesToWhatTheRuntimeSays(_ model: String) throws {
    let checkpoint = try Layouts.open("\(Self.folder)/\(model)")
    #expect(checkpoint.format == .onnx)
    let expected = try expected(model)
    #expect(!expected.tensors.isEmpty)
    for tensor in expected.tensors {
      let seen = try #require(checkpoint.tensors.first { $0.name == tensor.name })
      #expect(seen.layout?.hasPrefix("ONNX") == true)
      #expect(seen.shape == tensor.shape)
      // With scales of F16 the runtime's result is rounded to F16.
      let rounding = tensor.name.hasPrefix("hal") ? ScalarFloat.f16 : .f32
      let found = try values(checkpoint, tensor.name).map { rounding.rounded(Float(bitPattern: $0)).bitPattern }
      #expect(try found == values(expected, tensor.name), "\(tensor.name)")
    }
  }

  @Test(arguments: models) func comesBackByteForByte(_ model: String) throws {
    let directory = try TemporaryDirectory()
    let checkpoint = try Layouts.open("\(Self.folder)/\(model)")
    let resources = Resources(threads: 2, memory: 64 << 20)
    let bale = directory.file("packed.bale")
    let plan = try PackPlan(checkpoint, recipe: Recipe(named: "lossless"))
    _ = try PackJob(checkpoint, plan: plan, options: PackOptions()).run(to: bale, resources: resources) { _ in }
    let packed = try BaleCheckpoint(bale)
    let restored = try UnpackJob(packed)
      .run(to: directory.file("restored"), overwrite: false, resources: resources) { _ in }
    #expect(restored.count == checkpoint.files.count && restored.allSatisfy { $0.isOriginal })
    for tensor in try expected(model).tensors {
      #expect(try values(packed, tensor.name) == values(checkpoint, tensor.name), "\(tensor.name)")
    }
  }

  /// Codes are planes, not literal bytes beside them.
  @Test func codesAreKept() throws {
    let checkpoint = try Layouts.open("\(Self.folder)/external")
    let file = try #require(checkpoint.files.first { $0.name == "weights.bin" })
    let literal = try checkpoint.segments(of: file).reduce(0) {
      if case .literal(let range) = $1 { $0 + range.count } else { $0 }
    }
    // Zero points of one tensor, which are seen moved.
    #expect(literal < 64)
  }
}

/// Single operations of onnx 1.20, evaluated by ONNX Runtime.
@Suite(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout"))
struct ONNXFixtureTests {
  private static let names = [
    "dq_f4e2m1_block16", "dq_f8e4m3fn", "dq_f8e5m2", "dq_int16_tensor", "dq_int32_tensor", "dq_int4_block32_axis1",
    "dq_int4_block4_axis0", "dq_int4_odd_count", "dq_int8_axis0", "dq_int8_tensor", "dq_uint4_block32_axis1_zp",
    "dq_uint8_axis1", "dq_uint8_tensor", "matmulnbits_4bit_nozp", "matmulnbits_4bit_zp",
  ]

  /// The floats of a NumPy file, of F32 in C order, behind its header.
  private func floats(_ path: String) throws -> [UInt32] {
    let bytes = try Fixtures.bytes(path)
    let header = Int(bytes[8]) | Int(bytes[9]) << 8
    #expect(String(decoding: bytes[10..<10 + header], as: UTF8.self).contains("'<f4'"))
    return stride(from: 10 + header, to: bytes.count, by: 4).map { start in
      (0..<4).reduce(0) { $0 | UInt32(bytes[start + $1]) << (8 * UInt32($1)) }
    }
  }

  @Test(arguments: names) func decodesToWhatTheRuntimeSays(_ name: String) throws {
    let path = Fixtures.shared("fixtures/qat/onnx_\(name)")
    let checkpoint = try Layouts.open(path + ".onnx")
    let seen = checkpoint.tensors.enumerated().filter { $0.element.layout != nil }
    #expect(seen.count == 1)
    let reader = SpanReader(checkpoint, tensor: seen[0].offset)
    let values = try reader.read(0..<reader.elements).values(reader.codec).withFloats { $0.map(\.bitPattern) }
    let isMatrix = name.hasPrefix("matmul")
    #expect(values == (try floats(path + (isMatrix ? ".expected_W_NxK.npy" : ".expected.npy"))))
  }
}
