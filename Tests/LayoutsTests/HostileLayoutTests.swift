import ByteIO
import Checkpoints
import Safetensors
import Tensors
import TestSupport
import Testing

@testable import Layouts

/// Numbers in files that no writer has, in each place where something is computed with them: they end in an error with
/// a reason, or the tensors are taken as they are stored.
@Suite struct HostileLayoutTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  /// A tensor whose bytes are 1, or the given integers.
  private typealias Stored = (name: String, dtype: DType, shape: [Int], values: [Int]?)

  private func open(_ tensors: [Stored], config: String = "{}") throws -> any Checkpoint {
    let entries = try tensors.map { tensor in
      let shape = try #require(Shape(tensor.shape))
      let size = tensor.dtype.bits / 8
      let given = (tensor.values ?? []).flatMap { value in
        (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
      }
      let bytes = given.isEmpty ? [UInt8](repeating: 1, count: size * shape.elements) : given
      return SafetensorsWriter.Tensor(SafetensorsTensorSpec(tensor.name, tensor.dtype, shape), bytes)
    }
    try SafetensorsWriter.write(entries, to: directory.file("model.safetensors"), overwrite: true)
    try FixtureCheckpoint.write(Array(config.utf8), to: directory.file("config.json"))
    return try Layouts.open(directory.path)
  }

  @Test func shapesThatATensorGives() throws {
    for shape in [[1 << 62], [-1], [8, 1 << 62], [1 << 40, 1 << 40], [0, .max]] {
      #expect(throws: LayoutError.self) {
        try open([
          ("a.weight_packed", .i32, [8, 16], nil), ("a.weight_scale", .f16, [8, 1], nil),
          ("a.weight_shape", .i64, [shape.count], shape),
        ])
      }
    }
    for shape in [[0, 64], [64, 0], [.max, 2], [1 << 30, 1 << 30], [-8, 16]] {
      #expect(throws: LayoutError.self) {
        try open([
          ("a.W_q", .u8, [8, 64], nil), ("a.scale", .f32, [8, 1], nil), ("a.zero", .f32, [8, 1], nil),
          ("a.shape", .i64, [2], shape), ("a.nbits", .i64, [1], [4]), ("a.axis", .i64, [1], [1]),
        ])
      }
    }
  }

  /// A side of 0 hides what the others would overflow with.
  @Test func sidesBeyondCounting() throws {
    let (long, config) = (1 << 61, #"{"quantization_config":{"quant_method":"gptq","bits":4}}"#)
    let tensors: [[Stored]] = [
      [("a.weight", .u32, [0, long], nil), ("a.scales", .f16, [0, long], nil), ("a.biases", .f16, [0, long], nil)],
      [("a.weight", .u8, [long, 0], nil), ("a.weight_scale", .f32, [], nil)],
      [("a.weight", .i8, [0, long / 8, long], nil), ("a.weight_scale", .f32, [0], nil)],
      [
        ("a.codebooks", .f16, [long, 0, 1, 8], nil), ("a.codes", .i8, [0, 0, long], nil), ("a.scales", .f16, [0], nil),
      ],
    ]
    for stored in tensors {
      let checkpoint = try open(stored)
      #expect(checkpoint.tensors.map(\.name).sorted() == stored.map(\.name).sorted())
    }
    #expect(throws: LayoutError.self) {
      try open(
        [
          ("a.qweight", .i32, [0, long], nil), ("a.qzeros", .i32, [0, 8], nil), ("a.scales", .f16, [0, long], nil),
        ], config: config)
    }
  }

  @Test func groupsOfNothing() throws {
    #expect(throws: LayoutError.self) {
      try open([
        ("a.weight._data._data", .u8, [4, 0], nil), ("a.weight._scale", .f32, [8, 1], nil),
        ("a.weight._shift", .f32, [8, 1], nil),
      ])
    }
    #expect(throws: LayoutError.self) {
      try open([("a.weight", .f8e4m3, [0, 128], nil), ("a.weight_scale_inv", .f32, [2, 1], nil)])
    }
    let awq: [Stored] = [
      ("a.qweight", .i32, [64, 8], nil), ("a.qzeros", .i32, [1, 8], nil), ("a.scales", .f16, [1, 64], nil),
    ]
    for size in ["0", "-2"] {
      let config = #"{"quantization_config":{"quant_method":"awq","bits":4,"group_size":\#(size)}}"#
      #expect(throws: LayoutError.self) { try open(awq, config: config) }
    }
    let config = #"{"quantization_config":{"quant_method":"awq","bits":4,"group_size":9223372036854775807}}"#
    #expect(throws: LayoutError.self) { try open(awq, config: config) }
  }
}

@Suite struct ModulePatternTests {
  @Test func matchesWhatARegularExpressionDoes() throws {
    let names = [
      "model.layers.0.mlp.down_proj", "model.layers.12.self_attn.q_proj", "lm_head", "a", "", "layers.3", "ab", "abab",
      "x.y-z", "é",
    ]
    for text in [
      "mlp", #"layers\.\d+\.self_attn"#, "^lm_head$", ".*", "a|b", "(ab)+$", "^(?:ab)*$", "[a-c]+", "[^a-z.]", "x?y",
      #"layers\.(0|1[0-9])\."#, "q_proj|down_proj$", "", "()", "(a|)b", #"\w\.\w"#, "[-z]", #"[\d]"#, "^$", "(a*)*b",
    ] {
      let pattern = try #require(ModulePattern(text), "\(text)")
      let regex = try Regex(text)
      for name in names { #expect(pattern.matches(name) == name.contains(regex), "\(text) in \(name)") }
    }
  }

  @Test func whatItDoesNotKnowIsRefused() {
    for text in [
      "(", ")", "*", "a{2}", "[", "[z-a]", #"\"#, #"\b"#, "(?=a)", "(?P<n>a)", String(repeating: "(", count: 100),
      String(repeating: "a", count: 2000),
    ] {
      #expect(ModulePattern(text) == nil, "\(text)")
    }
  }

  /// Backtracking would take longer than there is time.
  @Test func noPatternTakesLong() throws {
    let pattern = try #require(ModulePattern("^(a*)*(a*)*(a|a)*b$"))
    #expect(!pattern.matches(String(repeating: "a", count: 4000)))
    #expect(pattern.matches(String(repeating: "a", count: 4000) + "b"))
  }
}
