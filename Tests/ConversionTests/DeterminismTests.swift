import Conversion
import TestSupport
import Testing

/// The bytes of an output depend on the source and the request, not on threads or memory.
@Suite struct DeterminismTests {
  static let resources = [(1, 1 << 30), (2, 16 << 20), (3, 1 << 30), (16, 16 << 20)]

  private func expectSame(_ write: (String, Int, Int) throws -> Void) throws {
    var first: [UInt8]?
    for (threads, memory) in Self.resources {
      let directory = try TemporaryDirectory()
      try write(directory.path, threads, memory)
      let bytes = try Jobs.contents(directory.path).values.flatMap { $0 }
      #expect(!bytes.isEmpty && (first ?? bytes) == bytes, "\(threads) threads, \(memory) bytes")
      first = bytes
    }
  }

  @Test(arguments: ["lossless", "int4-linear", "nf4-experts", "mxfp4-linear"]) func packing(_ recipe: String) throws {
    try expectSame { try Jobs.pack(Jobs.tiny, to: $0 + "/a.bale", recipe: recipe, threads: $1, memory: $2) }
  }

  @Test(arguments: [nil, "q8_0", "f16"] as [String?]) func converting(_ type: String?) throws {
    try expectSame { try Jobs.convert(Jobs.tiny, to: $0 + "/a.gguf", quantize: type, threads: $1, memory: $2) }
  }

  @Test func tensorsOfManySpans() throws {
    let directory = try TemporaryDirectory()
    var sample = Sample(seed: 3)
    try sample.add("model.layers.0.self_attn.q_proj.weight", .bf16, [1100, 2048])
    let source = try sample.write(directory.file("large.safetensors"))
    for recipe in ["lossless", "int4-linear"] {
      try expectSame { try Jobs.pack(source, to: $0 + "/a.bale", recipe: recipe, threads: $1, memory: $2) }
    }
  }
}
