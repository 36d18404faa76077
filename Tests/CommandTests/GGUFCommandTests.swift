import ByteIO
import Checkpoints
import Codecs
import Conversion
import GGUF
import JSON
import Safetensors
import Tensors
import TestSupport
import Testing

/// `bale convert` to GGUF, as a process.
@Suite struct GGUFCommandTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func succeed(_ arguments: [String], location: SourceLocation = #_sourceLocation) throws -> Command.Result {
    let result = try Command.run(arguments)
    #expect(result.status == 0, "\(result.errors)", sourceLocation: location)
    return result
  }

  private func convert(_ source: String, to name: String, _ more: String...) throws -> String {
    _ = try succeed(["convert", source, directory.file(name), "--quiet", "--force"] + more)
    return directory.file(name)
  }

  private func types(_ path: String) throws -> [String: String] {
    Dictionary(uniqueKeysWithValues: try GGUFModel(path).tensors.map { ($0.tensor.name, $0.tensor.type.name) })
  }

  // MARK: Quantizing

  @Test(
    .enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout"),
    arguments: [
      "Q4_0", "Q8_0", "MXFP4_MOE", "Q4_K",
    ])
  func filesAreThoseOfLlamaQuantize(_ type: String) throws {
    let expected = try Fixtures.bytes(Fixtures.shared("fixtures/gguf/tiny-\(type).gguf"))
    let fromModel = try convert(Fixtures.shared("models/tiny"), to: "a.gguf", "--quantize", type)
    #expect(try Fixtures.bytes(fromModel) == expected)
    let fromGGUF = try convert(
      Fixtures.shared("fixtures/gguf/tiny-bf16.gguf"), to: "b.gguf", "--quantize", type.lowercased(), "--threads", "1",
      "--memory", "16M")
    #expect(try Fixtures.bytes(fromGGUF) == expected)
  }

  /// llama-quantize leaves out dimensions of 1 on the outside, so its file of this model says [64] for [1, 64].
  @Test(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout"))
  func quantizedModelsLoseOuterDimensionsAndGetThemBack() throws {
    let source = Fixtures.shared("fixtures/architectures/qwen2moe")
    let model = try convert(source, to: "a.gguf", "--quantize", "bf16")
    let gate = try #require(
      GGUFModel(model).tensors.first { $0.tensor.name == "blk.0.ffn_gate_inp_shexp.weight" }?.tensor)
    #expect(gate.shape.dimensions == [64])
    #expect(try Command.run(["diff", source, convert(model, to: "back"), "--quiet"]).status == 0)
  }

  @Test func optionsReachTheModel() throws {
    let found = try types(
      convert(
        Command.tiny, to: "a.gguf", "--quantize", "q4_0", "--tensor-type", "ATTN_[qk]=q8_0", "--tensor-type",
        "attn=q5_1", "--output-tensor-type", "f16", "--token-embedding-type", "q5_0"))
    #expect(found["blk.0.attn_q.weight"] == "Q8_0" && found["blk.1.attn_v.weight"] == "Q5_1")
    #expect(found["output.weight"] == "F16" && found["token_embd.weight"] == "Q5_0")
    #expect(found["blk.0.ffn_up_exps.weight"] == "Q4_0" && found["blk.0.attn_norm.weight"] == "F32")
  }

  @Test func searchingLosesLessAtTheSameSize() throws {
    func loss(_ more: [String]) throws -> (Int, Double) {
      let path = directory.file("a.gguf")
      _ = try succeed(["convert", Command.tiny, path, "--quantize", "q4_0", "--pure", "--quiet", "--force"] + more)
      let model = try Checkpoints.open(path)
      let original = try Checkpoints.open(directory.file("original.gguf"))
      var cost = ErrorStatistics()
      for (index, tensor) in model.tensors.enumerated() where tensor.codec is GGMLCodec {
        let other = try #require(original.tensors.firstIndex { $0.name == tensor.name })
        let readers = (SpanReader(model, tensor: index), SpanReader(original, tensor: other))
        let decoded = try readers.0.read(0..<tensor.shape.elements).values(tensor.codec)
        let values = try readers.1.read(0..<tensor.shape.elements).values(original.tensors[other].codec)
        decoded.withFloats { decoded in values.withFloats { cost.add(original: $0, decoded: decoded) } }
      }
      return (try Fixtures.bytes(path).count, cost.relativeMSE)
    }
    _ = try convert(Command.tiny, to: "original.gguf")
    let (plain, searched) = (try loss([]), try loss(["--search"]))
    #expect(plain.0 == searched.0 && searched.1 < plain.1 * 0.98 && searched.1 > 0)
  }

  @Test func whatCannotBeIsRefusedBeforeAnythingIsWritten() throws {
    try Path.createDirectory(directory.file("in"))
    let model = try convert(Command.tiny, to: "in/a.gguf")
    let out = directory.file("out/b.gguf")
    try Path.createDirectory(directory.file("out"))
    let cases: [([String], String)] = [
      ([model, out, "--quantize", "iq2_xxs"], "Q4_K_M"), ([Command.tiny, out, "--quantize", "IQ1_S"], "IQ4_XS"),
      ([model, out, "--quantize", "q4_0", "--tensor-type", "attn=iq3_s"], "IQ4_NL"),
      ([model, out, "--quantize", "q4_0", "--tensor-type", "attn"], "REGEX=TYPE"),
      ([model, out, "--quantize", "q4_0", "--tensor-type", "(=q4_0"], "regular expression"),
      ([model, out, "--quantize", "q2_k_s"], "--imatrix"), ([model, out, "--pure"], "--pure needs --quantize"),
      ([model, out, "--quantize", "q4_0", "--imatrix", model], "imatrix.datasets"),
      ([model, directory.file("out/c.bale"), "--quantize", "q4_0", "--search"], "--search"),
      ([model, out, "--split-max-tensors", "0"], "at least 1"),
    ]
    for (arguments, word) in cases {
      let result = try Command.run(["convert"] + arguments)
      #expect(result.status != 0 && result.errors.contains(word), "\(arguments): \(result.errors)")
      #expect(try Path.entries(of: directory.file("out")).isEmpty)
    }
  }

  // MARK: Sizes, shards

  @Test(arguments: [
    ["a.gguf"], ["a.gguf", "--quantize", "q4_k_m"], ["a.gguf", "--quantize", "q8_0", "--split-max-size", "300K"],
    ["a.gguf", "--split-max-tensors", "5"], ["out"], ["out", "--split-max-size", "1M"], ["a.gguf", "--container"],
  ])
  func dryRunsSayTheExactSizes(_ words: [String]) throws {
    let arguments = ["convert", Command.tiny, directory.file(words[0])] + words.dropFirst()
    let dry = try JSONValue(parsing: Array(succeed(arguments + ["--dry-run", "--json"]).output.utf8))
    #expect(try Command.tree(directory.path).isEmpty)
    _ = try succeed(arguments + ["--quiet"])
    let tree = try Command.tree(directory.path)
    let files = dry["files"]?.array ?? []
    #expect(!files.isEmpty)
    for file in files {
      let name = file["name"]?.string ?? ""
      let path = tree["out/"] != nil ? "out/" + name : files.count == 1 ? "a.gguf" : name
      #expect(tree[path]?.count == file["bytes"]?.int, "\(path)")
    }
    #expect(tree.values.reduce(0) { $0 + $1.count } == dry["bytes"]?.int)
  }

  /// A model of an architecture that nobody knows, in shards and merged, is quantized the same.
  @Test func anyArchitectureIsRequantizedFromShardsToShards() throws {
    var random = SplitMix64(seed: 3)
    let names = ["blk.0.mystery.weight", "blk.1.mystery.weight", "blk.1.mystery.bias", "strange"]
    let shapes = [[64, 256], [2, 32, 256], [96], [3, 5]]
    let infos = zip(names, shapes).map {
      GGUFTensorInfo(name: $0, type: .f32, shape: Shape($1) ?? .scalar)
    }
    let plan = try GGUFHeader.plan(metadata: ["general.architecture": .string("martian")], tensors: infos)
    var bytes = plan.header
    for tensor in plan.tensors {
      bytes += [UInt8](repeating: 0, count: tensor.range.lowerBound - bytes.count)
      for _ in 0..<tensor.shape.elements { bytes.append(littleEndian: Float(random.normal()).bitPattern) }
    }
    bytes += [UInt8](repeating: 0, count: plan.fileSize - bytes.count)
    let whole = try directory.write(bytes, to: "whole.gguf")
    _ = try convert(whole, to: "parts.gguf", "--split-max-tensors", "1")
    let first = directory.file("parts-00001-of-00004.gguf")
    let merged = try convert(first, to: "merged.gguf")
    #expect(try Fixtures.bytes(merged) == bytes)

    let quantized = try convert(whole, to: "q8.gguf", "--quantize", "q8_0")
    #expect(
      try types(quantized) == [
        names[0]: "Q8_0", names[1]: "Q8_0", names[2]: "F32", names[3]: "F32",
      ])
    #expect(try Fixtures.bytes(convert(first, to: "b.gguf", "--quantize", "q8_0")) == Fixtures.bytes(quantized))
    _ = try convert(first, to: "q.gguf", "--quantize", "q8_0", "--split-max-size", "20K")
    let shards = try Path.entries(of: directory.path).filter { $0.hasPrefix("q-0000") }
    #expect(shards.count > 1)
    let shard = directory.file(try #require(shards.last))
    #expect(try Fixtures.bytes(convert(shard, to: "c.gguf")) == Fixtures.bytes(quantized))

    let again = try types(convert(quantized, to: "q4.gguf", "--quantize", "q4_k"))
    #expect(again[names[0]] == "Q4_K" && again[names[2]] == "F32")
    let plain = try types(convert(quantized, to: "bf16.gguf", "--quantize", "bf16"))
    #expect(plain[names[1]] == "BF16" && plain[names[3]] == "F32")
  }

  @Test func memoryDoesNotGrowWithTheLargestTensor() throws {
    let info = GGUFTensorInfo(name: "a.weight", type: .bf16, shape: Shape([16384, 4096]) ?? .scalar)
    let plan = try GGUFHeader.plan(metadata: ["general.architecture": .string("martian")], tensors: [info])
    let source = try OutputFile(directory.file("large.gguf"))
    try source.write(plan.header, at: 0)
    try source.commit(length: plan.fileSize)
    let out = directory.file("out.gguf")
    let result = try succeed(
      ["convert", source.path, out, "--quantize", "q8_0", "--quiet", "--threads", "2", "--memory", "16M"])
    // The tensor is 128 MiB of holes, and 256 MiB in F32.
    #expect(result.peakMemory > 1 << 20 && result.peakMemory < 120 << 20, "\(result.peakMemory >> 20) MiB")
    #expect(try types(out) == ["a.weight": "Q8_0"])
  }

  // MARK: Faults of the source

  /// A copy of the sample with a change to its tensors or its configuration.
  private func model(
    config: (String, String)? = nil, _ change: (inout [SafetensorsWriter.Tensor]) throws -> Void = { _ in }
  ) throws -> String {
    let file = try SafetensorsFile(Command.tiny + "/model.safetensors")
    var tensors = try file.tensors.map {
      SafetensorsWriter.Tensor(SafetensorsTensorSpec($0.name, $0.dtype, $0.shape), try file.bytes(of: $0))
    }
    try change(&tensors)
    try Path.createDirectory(directory.file("in"))
    try SafetensorsWriter.write(tensors, to: directory.file("in/model.safetensors"), overwrite: true)
    for name in try Path.entries(of: Command.tiny) where !name.hasSuffix(".safetensors") {
      var bytes = try Fixtures.bytes(Command.tiny + "/" + name)
      if name == "config.json", let (old, new) = config {
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains(old))
        bytes = Array(text.split(separator: old, omittingEmptySubsequences: false).joined(separator: new).utf8)
      }
      try directory.write(bytes, to: "in/" + name)
    }
    return directory.file("in")
  }

  private func expectRefusal(
    _ source: String, _ words: String..., types: [[String]] = [[], ["--quantize", "q4_k_m"]],
    location: SourceLocation = #_sourceLocation
  ) throws {
    try Path.createDirectory(directory.file("out"))
    for more in types {
      for resume in [[], ["--resume"]] {
        let result = try Command.run(["convert", source, directory.file("out/a.gguf")] + more + resume)
        #expect(result.status == 1 && result.errorLines.count == 1, "\(result.errors)", sourceLocation: location)
        for word in words { #expect(result.errors.contains(word), "\(result.errors)", sourceLocation: location) }
        #expect(try Path.entries(of: directory.file("out")).isEmpty, sourceLocation: location)
      }
    }
  }

  private static let expert = "model.layers.1.block_sparse_moe.experts.3.w2.weight"

  private func set(_ bits: UInt16, of name: String, in tensors: inout [SafetensorsWriter.Tensor]) throws {
    let index = try #require(tensors.firstIndex { $0.spec.name == name })
    let place = tensors[index].bytes.count - 2
    (tensors[index].bytes[place], tensors[index].bytes[place + 1]) = (UInt8(bits & 0xFF), UInt8(bits >> 8))
  }

  @Test(arguments: [(UInt16(0x7FC0), "nan"), (0x7F80, "inf"), (0xFF80, "-inf")])
  func valuesThatAreNotFinite(_ bits: UInt16, _ word: String) throws {
    for (name, shown) in [
      (Self.expert, "blk.1.ffn_down_exps.weight"), ("model.norm.weight", "output_norm.weight"),
      ("model.layers.0.block_sparse_moe.gate.weight", "blk.0.ffn_gate_inp.weight"),
    ] {
      let source = try model { try set(bits, of: name, in: &$0) }
      try expectRefusal(source, shown, word)
    }
  }

  @Test func modelsThatAreNotWhatTheConfigurationSays() throws {
    try expectRefusal(model { $0.removeAll { $0.spec.name == Self.expert } }, Self.expert)
    try expectRefusal(model(config: ("\"num_local_experts\": 4", "\"num_local_experts\": 5")), "5 experts")
    try expectRefusal(model(config: ("\"num_local_experts\": 4", "\"num_local_experts\": 3")), "3 experts")
    try expectRefusal(model(config: ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3")), "model.layers.2.")
    try expectRefusal(model(config: ("\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1")), "model.layers.1.")
    let unknown = "model.layers.0.self_attn.z_proj.weight"
    try expectRefusal(
      model { $0.append(.init(SafetensorsTensorSpec(unknown, .bf16, Shape([1]) ?? .scalar), [0, 0])) }, unknown)
    try expectRefusal(
      model { tensors in
        let index = try #require(tensors.firstIndex { $0.spec.name == Self.expert })
        let spec = SafetensorsTensorSpec(Self.expert, .bf16, Shape([64, 512]) ?? .scalar)
        tensors[index] = SafetensorsWriter.Tensor(spec, tensors[index].bytes)
      }, Self.expert)
  }

  @Test func malformedGGUF() throws {
    let bytes = try Fixtures.bytes(convert(Command.tiny, to: "good.gguf"))
    try expectRefusal(directory.write(Array(bytes.dropLast(4096)), to: "bad.gguf"), "bad.gguf")
    var flipped = bytes
    flipped[4] = 9
    try expectRefusal(directory.write(flipped, to: "bad.gguf"), "bad.gguf")
    let tensor = try #require(GGUFModel(directory.file("good.gguf")).tensors.first { $0.tensor.type == .bf16 }?.tensor)
    var nan = bytes
    (nan[tensor.range.lowerBound], nan[tensor.range.lowerBound + 1]) = (0xC0, 0x7F)
    try expectRefusal(
      directory.write(nan, to: "bad.gguf"), tensor.name, "nan",
      types: [["--quantize", "q4_0"], ["--quantize", "f16"], ["--quantize", "bf16"]])
  }
}
