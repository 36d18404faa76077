import BaleFormat
import ByteIO
import Checkpoints
import Codecs
import Conversion
import JSON
import Safetensors
import Tensors
import TestSupport
import Testing
import Verification

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A fine-tune stored as its difference from its base.
@Suite struct BaseTests {
  private let directory: TemporaryDirectory
  private let base: String
  private let tuned: String
  private let packed: String

  /// BF16 tensors: one that barely moves, one that doesn't, one of its own, one of another shape, and F32.
  init() throws {
    directory = try TemporaryDirectory()
    base = directory.file("base.bale")
    tuned = directory.file("tuned.safetensors")
    packed = directory.file("tuned.bale")
    var random = SplitMix64(seed: 3)
    let weights = (0..<200_000).map { _ in UInt16(truncatingIfNeeded: Float(random.normal()).bitPattern >> 16) }
    let moved = weights.map { Int.random(in: 0..<20, using: &random) == 0 ? $0 &+ 1 : $0 }
    let noise = (0..<8192).map { _ in UInt16.random(in: 0 ... .max, using: &random) }
    let wide = (0..<5000).map { _ in Float(random.normal()).bitPattern }
    let narrow = wide.map { $0 &+ UInt32.random(in: 0..<64, using: &random) &- 32 }
    try write(
      "base.safetensors", [("moved", weights), ("same", weights), ("noise", noise.reversed()), ("cut", noise)], wide)
    try write(
      "tuned.safetensors",
      [("moved", moved), ("same", weights), ("noise", noise), ("cut", Array(noise.dropLast())), ("own", noise)],
      narrow)
    try Jobs.pack(directory.file("base.safetensors"), to: base)
    try pack()
  }

  private func write(_ name: String, _ tensors: [(String, [UInt16])], _ wide: [UInt32]) throws {
    let narrow = try tensors.map { name, codes in
      SafetensorsWriter.Tensor(
        SafetensorsTensorSpec(name, .bf16, try #require(Shape([codes.count]))), codes.withUnsafeBytes { Array($0) })
    }
    let wide = SafetensorsWriter.Tensor(
      SafetensorsTensorSpec("wide", .f32, try #require(Shape([wide.count]))), wide.withUnsafeBytes { Array($0) })
    try SafetensorsWriter.write(narrow + [wide], to: directory.file(name), overwrite: true)
  }

  private func pack(threads: Int = 2, to path: String? = nil) throws {
    let model = try BaseModel(base)
    let checkpoint = try DifferenceCheckpoint(Checkpoints.open(tuned), from: model)
    var options = PackOptions()
    options.isArchive = true
    options.metadata = .object(JSONObject([model.metadata]))
    _ = try PackJob(checkpoint, plan: PackPlan(checkpoint, recipe: Recipe(named: "lossless")), options: options)
      .run(to: path ?? packed, resources: Resources(threads: threads, memory: 64 << 20)) { _ in }
  }

  @Test func eachTensorGetsTheSmallestForm() throws {
    let encodings = try BaleCheckpoint(packed).tensors.reduce(into: [:]) { $0[$1.name] = "\($1.codec.descriptor)" }
    #expect(
      encodings == [
        "moved": "delta:dtype=BF16,op=sub", "same": "delta:dtype=BF16,op=xor", "noise": "split:dtype=BF16",
        "cut": "split:dtype=BF16", "own": "split:dtype=BF16", "wide": "delta:dtype=F32,op=sub",
      ])
    let sizes = try BaleCheckpoint(packed).tensors.reduce(into: [:]) { $0[$1.name] = $1.storedBytes }
    #expect(sizes["same", default: .max] < 200 && sizes["moved", default: .max] < 60_000)
  }

  @Test func theFileComesBackWithTheBase() throws {
    let checkpoint = try BaleCheckpoint(packed, base: BaseModel(base))
    let files = try UnpackJob(checkpoint)
      .run(to: directory.file("out"), overwrite: false, resources: Resources(threads: 2, memory: 64 << 20)) { _ in }
    #expect(files.count == 1 && files[0].isOriginal && files[0].isExact)
    #expect(try Fixtures.bytes(directory.file("out/tuned.safetensors")) == Fixtures.bytes(tuned))
    let report = try Verifier(packed, against: tuned, base: base)
      .run(resources: Resources(threads: 2, memory: 64 << 20)) { _ in }
    #expect(report.holds && report.comparison.allSatisfy { $0.difference.kind == .identical })
  }

  @Test func anyRangeOfElementsIsReadAlone() throws {
    let checkpoint = try BaleCheckpoint(packed, base: BaseModel(base))
    let source = try Checkpoints.open(tuned)
    for (index, tensor) in checkpoint.tensors.enumerated() where tensor.codec is PlainCodec {
      let other = try #require(source.tensors.firstIndex { $0.name == tensor.name })
      for range in [0..<1, 77..<1234, tensor.shape.elements - 5..<tensor.shape.elements] {
        let found = try SpanReader(checkpoint, tensor: index).read(range)
        #expect(try found.isEqual(to: SpanReader(source, tensor: other).read(range)), "\(tensor.name) \(range)")
      }
    }
  }

  private static let hasPython = system("python3 -c 'import numpy, zstandard' 2>/dev/null") == 0

  /// specs/reader, written from the specs alone.
  @Test(.enabled(if: hasPython, "python3 with numpy and zstandard is not installed")) func pythonFindsTheSameBytes()
    throws
  {
    let program = """
      import bale_reader
      b = bale_reader.BaleFile("\(packed)")
      b.base("\(base)")
      for name in b.tensors: open("\(directory.path)/" + name, "wb").write(b.source(name))
      """
    #expect(system("cd '\(Fixtures.root)/specs/reader' && python3 -B -c '\(program)' 2>/dev/null") == 0)
    let source = try Checkpoints.open(tuned)
    for (index, tensor) in source.tensors.enumerated() {
      let expected = try SpanReader(source, tensor: index).read(0..<tensor.shape.elements)
      #expect(try Fixtures.bytes(directory.file(tensor.name)) == expected.allBytes[0], "\(tensor.name)")
    }
  }

  @Test func withoutTheBaseNothingIsMadeUp() throws {
    let roots = try BaleFile(base).roots.map { hexadecimal($0) }
    #expect(throws: BaseError.missing(path: packed, roots: roots)) {
      try Jobs.unpack(packed, to: directory.file("out"))
    }
    #expect(!Path.exists(directory.file("out")))
    #expect(throws: PlanError.self) { try Jobs.pack(packed, to: directory.file("again.bale")) }
    #expect(throws: (any Error).self) { try Jobs.convert(packed, to: directory.file("c.safetensors")) }
    // Digests hold without the base.
    #expect(try Verifier(packed, against: nil).run(resources: Resources(threads: 2, memory: 64 << 20)) { _ in }.holds)
  }

  @Test func otherBasesAreRefused() throws {
    let other = directory.file("other.bale")
    try Jobs.pack(tuned, to: other)
    let (expected, found) = try (BaseModel(base).roots, BaseModel(other).roots)
    #expect(throws: BaseError.other(path: packed, expected: expected, found: found)) {
      try BaleCheckpoint(packed, base: BaseModel(other))
    }
    #expect(throws: BaseError.none(path: other)) { try BaleCheckpoint(other, base: BaseModel(base)) }
    #expect(throws: BaseError.nested(path: packed)) { try BaseModel(packed) }
  }

  @Test func theSameBytesForAnyThreads() throws {
    try pack(threads: 1, to: directory.file("one.bale"))
    #expect(try Fixtures.bytes(directory.file("one.bale")) == Fixtures.bytes(packed))
  }
}
