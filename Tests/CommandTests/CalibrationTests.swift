import ByteIO
import JSON
import Safetensors
import Tensors
import TestSupport
import Testing

/// Calibrated packing as a process.
@Suite struct CalibrationTests {
  private let directory: TemporaryDirectory
  private static let weights = ["q", "k", "v", "o"].map { "model.layers.0.self_attn.\($0)_proj.weight" }

  init() throws { directory = try TemporaryDirectory() }

  /// Diagonals of 128 inputs, of which every eighth is large.
  private func statistics(_ names: [String]) throws -> String {
    let path = directory.file("stats.safetensors")
    let row = try #require(Shape([128]))
    let one = try #require(Shape([1]))
    let values = (0..<128).flatMap { index in
      let bits = Float(index % 8 == 0 ? 40 : 1).bitPattern
      return (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
    }
    let tensors = names.flatMap { name in
      [
        SafetensorsWriter.Tensor(SafetensorsTensorSpec(name + ".diagonal", .f32, row), values),
        SafetensorsWriter.Tensor(SafetensorsTensorSpec(name + ".count", .i64, one), [100, 0, 0, 0, 0, 0, 0, 0]),
      ]
    }
    try SafetensorsWriter.write(tensors, to: path)
    return path
  }

  private func recipe(_ treatment: String) throws -> String {
    try directory.write(Array("model.layers.0.self_attn.* \(treatment)\n".utf8), to: "test.recipe")
  }

  @Test func packsVerifiesAndConverts() throws {
    let (stats, bale) = (try statistics(Self.weights), directory.file("a.bale"))
    let options = ["--calibration", stats, "--recipe", try recipe("spqr:bits=3@gptq"), "--target-bits", "4"]
    let packed = try Command.run(["pack", Command.tiny, bale] + options)
    #expect(packed.status == 0, "\(packed.errors)")
    #expect(packed.output.contains("bits a weight, relative MSE of their outputs"))
    #expect(try Command.run(["verify", bale, "--against", Command.tiny]).status == 0)
    #expect(try Command.run(["unpack", bale, directory.file("back")]).status == 0)
    let values = try Command.run(["convert", bale, directory.file("values"), "--dequantize", "bf16"])
    #expect(values.status == 0, "\(values.errors)")
  }

  @Test func saysWhatItNeeds() throws {
    let bale = directory.file("a.bale")
    let without = try Command.run(["pack", Command.tiny, bale, "--recipe", "spqr3"])
    #expect(without.status == 2 && without.errors.contains("--calibration"))
    let partly = try Command.run(
      ["pack", Command.tiny, bale, "--recipe", "gptq-int4", "--calibration", statistics(Self.weights)])
    #expect(partly.status == 2 && partly.errors.contains("no statistics"))
    let gguf = try Command.run(
      [
        "convert", Command.tiny, directory.file("a.gguf"), "--container", "--quantize", "gptq-int4", "--calibration",
        directory.file("stats.safetensors"),
      ])
    #expect(gguf.status == 2 && gguf.errors.contains("as a solver chooses it"), "\(gguf.errors)")
    #expect(!Path.exists(bale))
  }

  @Test func checksStatisticsAgainstAModel() throws {
    let stats = try statistics(Self.weights)
    let all = try Command.run(["calibrate", Command.tiny, "--calibration", stats])
    #expect(all.status == 1 && all.output.contains("DOES NOT cover"))
    let some = try Command.run(
      ["calibrate", Command.tiny, "--calibration", stats, "--recipe", recipe("int4"), "--json"])
    #expect(some.status == 0)
    let report = try JSONValue(parsing: Array(some.output.utf8))
    #expect(report["complete"]?.bool == true && report["covered"]?.array?.count == 4)
    #expect(report["few_tokens"]?.array?.count == 4)
  }

  @Test func writesSensitivity() throws {
    let stats = try statistics(Self.weights)
    for ending in ["json", "html"] {
      let path = directory.file("sensitivity.\(ending)")
      let result = try Command.run(
        ["calibrate", Command.tiny, "--calibration", stats, "--recipe", recipe("int4"), "--sensitivity", path])
      #expect(result.status == 0, "\(result.errors)")
      let bytes = try Fixtures.bytes(path)
      if ending == "html" {
        let page = String(decoding: bytes, as: UTF8.self)
        #expect(page.contains("data:image/bmp;base64,Qk") && !page.contains("<script") && !page.contains("://"))
      } else {
        let weights = try #require(try JSONValue(parsing: bytes).array)
        #expect(weights.count == 4 && weights.allSatisfy { $0["by_row"]?.array?.isEmpty == false })
      }
    }
  }
}
