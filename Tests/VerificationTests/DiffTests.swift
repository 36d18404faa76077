import Checkpoints
import Conversion
import Safetensors
import Tensors
import TestSupport
import Testing
import Verification

/// What `diff` finds.
@Suite struct DiffTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private typealias Entry = (name: String, dtype: DType, shape: [Int], bytes: [UInt8])

  private func bytes<T>(_ values: [T]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }

  private func diff(_ a: [Entry], _ b: [Entry]) throws -> [TensorDifference] {
    let paths = try [a, b].enumerated().map { number, entries in
      let path = directory.file("\(number).safetensors")
      let tensors = entries.map { entry in
        SafetensorsWriter.Tensor(
          SafetensorsTensorSpec(entry.name, entry.dtype, Shape(entry.shape) ?? .scalar), entry.bytes)
      }
      try SafetensorsWriter.write(tensors, to: path, overwrite: true)
      return path
    }
    return try CheckpointDiff(Checkpoints.open(paths[0]), Checkpoints.open(paths[1]))
      .run(resources: Resources(threads: 2, memory: 16 << 20)) { _ in }
  }

  @Test func missingExtraShapesAndValuesAreTold() throws {
    let one = bytes([1, 2, 3, 4] as [Float])
    let differences = try diff(
      [("same", .f32, [4], one), ("gone", .f32, [4], one), ("bent", .f32, [4], one), ("moved", .f32, [4], one)],
      [
        ("same", .f32, [4], one), ("new", .f32, [4], one), ("bent", .f32, [2, 2], one),
        ("moved", .f32, [4], bytes([1, 2, 3, 6] as [Float])),
      ])
    let kinds = Dictionary(differences.map { ($0.name, $0.kind) }) { first, _ in first }
    #expect(kinds == ["same": .identical, "gone": .missing, "new": .extra, "bent": .shape, "moved": .values])
    let moved = try #require(differences.first { $0.name == "moved" })
    #expect(moved.differing == 1 && moved.maximumError == 2)
    #expect(abs(moved.relativeMSE - 4.0 / 30) < 1e-15)
    #expect(abs(moved.cosine - 38 / (30.0 * 50).squareRoot()) < 1e-12)
    #expect(try #require(differences.first { $0.name == "bent" }).shapes == ([4], [2, 2]))
  }

  @Test func otherDtypesOfTheSameValuesAreIdentical() throws {
    let differences = try diff(
      [("a", .bf16, [2], bytes([0x3F80, 0xC000] as [UInt16]))], [("a", .f32, [2], bytes([1, -2] as [Float]))])
    #expect(differences.map(\.kind) == [.identical])
  }

  @Test func emptyTensorsAreIdentical() throws {
    let differences = try diff([("a", .f32, [0, 3], [])], [("a", .f32, [0, 3], [])])
    #expect(differences.map(\.kind) == [.identical])
  }

  @Test func zerosAndSomethingHaveFiguresThatAreNumbersOrInfinite() throws {
    let differences = try diff(
      [("a", .f32, [2], bytes([0, 0] as [Float]))], [("a", .f32, [2], bytes([1, 0] as [Float]))])
    #expect(differences[0].kind == .values && differences[0].relativeMSE == .infinity)
    #expect(differences[0].cosine == 0)
  }

  @Test func valuesThatF32CantTellApartDiffer() throws {
    let differences = try diff(
      [
        ("i64", .i64, [2], bytes([1 << 53, 7] as [Int64])), ("f64", .f64, [1], bytes([0.1])),
        ("u32", .u32, [1], bytes([0xFFFF_FFFF] as [UInt32])), ("c64", .c64, [1], bytes([1, 2] as [Float])),
        ("wide", .f64, [1], bytes([0.1])),
      ],
      [
        ("i64", .i64, [2], bytes([1 << 53 + 1, 7] as [Int64])), ("f64", .f64, [1], bytes([(0.1).nextUp])),
        ("u32", .u32, [1], bytes([0xFFFF_FFFE] as [UInt32])), ("c64", .c64, [1], bytes([1, 3] as [Float])),
        ("wide", .f32, [1], bytes([0.1] as [Float])),
      ])
    for difference in differences { #expect(difference.kind == .values && difference.differing == 1, "\(difference)") }
  }
}
