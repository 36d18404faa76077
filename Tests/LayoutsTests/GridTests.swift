import ByteIO
import Checkpoints
import Codecs
import Conversion
import Layouts
import Safetensors
import Tensors
import TestSupport
import Testing

/// Float weights beside the grid that they were trained for.
@Suite struct GridTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func write(_ text: String, to name: String) throws {
    try FixtureCheckpoint.write(Array(text.utf8), to: directory.file(name))
  }

  /// Writes F32 tensors as the model.
  private func write(_ tensors: [(String, [Int], [Float])]) throws {
    let entries = try tensors.map { name, shape, values in
      let bytes = values.flatMap { value in
        (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * UInt32($0))) }
      }
      return SafetensorsWriter.Tensor(SafetensorsTensorSpec(name, .f32, try #require(Shape(shape))), bytes)
    }
    try SafetensorsWriter.write(entries, to: directory.file("model.safetensors"), overwrite: true)
  }

  private func values(_ checkpoint: any Checkpoint, _ name: String = "w") throws -> [Float] {
    let index = try #require(checkpoint.tensors.firstIndex { $0.name == name })
    let reader = SpanReader(checkpoint, tensor: index)
    return try reader.read(0..<reader.elements).values(reader.codec).withFloats { Array($0) }
  }

  private func encoding(_ checkpoint: any Checkpoint) -> String { "\(checkpoint.tensors[0].codec.descriptor)" }

  /// Two rows of four; every way of naming the same grid.
  @Test(arguments: [
    #"{"param_encodings":{"w":[{"bitwidth":4,"dtype":"int","is_symmetric":"True","scale":0.5,"offset":-8},"#
      + #"{"bitwidth":4,"dtype":"int","is_symmetric":"True","scale":0.25,"offset":-8}]}}"#,
    #"{"version":"1.0.0","param_encodings":[{"name":"w","dtype":"INT","bw":4,"enc_type":"PER_CHANNEL","is_sym":true,"#
      + #""scale":[0.5,0.25],"offset":[-8,-8]}]}"#,
    #"{"version":"2.0.0","encodings":[{"name":"w","output_dtype":"int4","y_scale":[0.5,0.25],"axis":0}]}"#,
  ])
  func aGridOfChannels(_ encodings: String) throws {
    try write([("w", [2, 4], [0.6, -0.75, 9, -9, 0.6, -0.125, 0.126, 1])])
    try write(encodings, to: "model.encodings")
    let checkpoint = try Layouts.open(directory.path)
    #expect(encoding(checkpoint) == "int4:group=row,scale=F32,zero=none")
    // Ties go to the even code; what lies beyond takes the last one.
    #expect(try values(checkpoint) == [0.5, -1, 3.5, -4, 0.5, 0, 0.25, 1])
  }

  @Test func aGridOfBlocks() throws {
    try write([("w", [2, 4], [1, 2, 3, 4, 5, 6, 7, 8])])
    for encodings in [
      #"{"version":"1.0.0","param_encodings":[{"name":"w","dtype":"INT","bw":8,"enc_type":"PER_BLOCK","block_size":2,"#
        + #""scale":[1,2,4,8],"offset":[-128,-128,-128,-128]}]}"#,
      #"{"version":"1.0.0","param_encodings":[{"name":"w","dtype":"INT","bw":12,"compressed_bw":8,"enc_type":"LPBQ","#
        + #""block_size":2,"scale":[0.5,2],"offset":[-2048,-2048],"per_block_int_scale":[2,4,2,4]}]}"#,
      #"{"version":"2.0.0","encodings":[{"name":"w","output_dtype":"int8","y_scale":[[1,2],[4,8]],"axis":1,"#
        + #""block_size":2}]}"#,
      #"{"version":"2.1.0","encodings":[{"name":"w","output_dtype":"int8","axis":1,"block_size":2,"#
        + #""y_scale":{"x":[[2,4],[2,4]],"x_scale":[0.5,2],"input_dtype":"uint4"}}]}"#,
    ] {
      try write(encodings, to: "model.encodings")
      let checkpoint = try Layouts.open(directory.path)
      #expect(encoding(checkpoint) == "int8:group=2,scale=F32,zero=none")
      #expect(try values(checkpoint) == [1, 2, 4, 4, 4, 8, 8, 8])
    }
  }

  /// A zero point that isn't the middle, and int2 about -0.5.
  @Test func zeroPoints() throws {
    try write([("w", [4], [-1.5, -0.4, 0.6, 9])])
    try write(#"{"encodings":[{"name":"w","output_dtype":"uint8","y_scale":0.5,"y_zero_point":2}]}"#, to: "a.encodings")
    #expect(try values(Layouts.open(directory.path)) == [-1, -0.5, 0.5, 9])
    try write(#"{"encodings":[{"name":"w","output_dtype":"int2","y_scale":1,"y_zero_point":-0.5}]}"#, to: "a.encodings")
    #expect(try values(Layouts.open(directory.path)) == [-1.5, -0.5, 0.5, 1.5])
  }

  /// What lies on the grid is kept as codes, and the floats come back from them; what doesn't is archived as floats.
  @Test func archives() throws {
    try write([("on", [2, 4], [0.5, -1, 3.5, -4, 0, 1, 2, 3]), ("off", [2, 4], [0.5, -1, 3.5, -4, 0, 1, 2, 3.001])])
    try write(
      #"{"encodings":[{"name":"on","output_dtype":"int4","y_scale":0.5},{"name":"off","output_dtype":"int4","y_scale":0.5}]}"#,
      to: "model.encodings")
    let seen = try #require(try Layouts.open(directory.path) as? LayoutCheckpoint)
    #expect(seen.tensors.map { $0.layout != nil } == [true, true])
    let archived = try seen.archived()
    let kept = Dictionary(uniqueKeysWithValues: archived.tensors.map { ($0.name, $0.layout != nil) })
    #expect(kept == ["on": true, "off": false])
    let resources = Resources(threads: 1, memory: 1 << 24)
    _ = try PackJob(archived, plan: PackPlan(archived, recipe: Recipe(named: "lossless")), options: PackOptions())
      .run(to: directory.file("a.bale"), resources: resources) { _ in }
    let packed = try BaleCheckpoint(directory.file("a.bale"))
    #expect(
      packed.tensors.first { $0.name == "on" }.map { "\($0.codec.descriptor)" }?.hasPrefix("integers:bits=4") == true)
    let restored = try UnpackJob(packed)
      .run(to: directory.file("restored"), overwrite: false, resources: resources) { _ in }
    #expect(restored.allSatisfy { $0.isOriginal })
  }

  private func reason(_ encodings: String) throws -> LayoutReason? {
    try write([("w", [2, 4], [Float](repeating: 1, count: 8))])
    try write(encodings, to: "model.encodings")
    do {
      let refusal = (try Layouts.open(directory.path) as? LayoutCheckpoint)?.refusal
      return refusal.map { .unreadable(layout: $0.layout, remedy: $0.remedy) }
    } catch let error as LayoutError {
      return error.reason
    }
  }

  @Test func whatIsWrong() throws {
    func entry(_ members: String) -> String { #"{"encodings":[{"name":"w",\#(members)}]}"# }
    #expect(try reason(entry(#""output_dtype":"float16","y_scale":1"#)) == nil)
    guard case .unreadable = try reason(entry(#""output_dtype":"float8e4m3","y_scale":1"#)) else {
      Issue.record("floats of 8 bits were read")
      return
    }
    for members in [
      #""output_dtype":"int4""#, #""output_dtype":"int4","y_scale":[]"#, #""output_dtype":"int4","y_scale":"a""#,
      #""output_dtype":"int4","y_scale":0"#, #""output_dtype":"int4","y_scale":1e300"#,
      #""output_dtype":"int4","y_scale":[1,1],"y_zero_point":[0,0,0]"#, #""output_dtype":"int99","y_scale":1"#,
      #""output_dtype":"int4","y_scale":1,"y_zero_point":1e300"#,
    ] {
      guard case .value = try reason(entry(members)) else {
        Issue.record("\(members) was read")
        continue
      }
    }
    for members in [
      #""output_dtype":"int4","y_scale":[1,1,1],"axis":0"#, #""output_dtype":"int4","y_scale":[1,1],"axis":7"#,
      #""output_dtype":"int4","y_scale":[[1,1],[1]],"axis":1,"block_size":2"#,
      #""output_dtype":"int4","y_scale":[[1],[1]],"axis":1,"block_size":2"#,
    ] {
      guard case .shape = try reason(entry(members)) else {
        Issue.record("\(members) was read")
        continue
      }
    }
    guard case .value = try reason("{") else {
      Issue.record("what isn't JSON was read")
      return
    }
  }
}

/// What aimet-torch 2.42 and torch 2.14 make of their own files.
@Suite(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout"))
struct GridFixtureTests {
  private static let encodings = [
    "linear_v0.6.1", "linear_v1.0.0", "linear_v2.0.0", "linear_v2.1.0", "legacy_m", "legacy_m_torch",
  ]

  private func check(_ checkpoint: FixtureCheckpoint, _ tensor: String, _ key: String) throws {
    let seen = try checkpoint.opened()
    let index = try #require(seen.tensors.firstIndex { $0.name == tensor })
    #expect(seen.tensors[index].layout != nil)
    #expect(try checkpoint.values(of: seen, index) == (try checkpoint.expectedValues(key)))
    #expect(try checkpoint.roundTrip().differing.isEmpty)
  }

  @Test(arguments: encodings) func aimet(_ name: String) throws {
    let checkpoint = try FixtureCheckpoint("qat", "aimet_linear")
    let bytes = try Fixtures.bytes(Fixtures.shared("fixtures/qat/aimet/\(name).encodings"))
    try FixtureCheckpoint.write(bytes, to: checkpoint.source + "/\(name).encodings")
    try check(checkpoint, "0.weight", "0.weight.fake_quant")
  }

  @Test func fakeQuantize() throws {
    try check(try FixtureCheckpoint("qat", "torch_fakequant_perchannel"), "fc.weight", "fake_quant")
  }
}
