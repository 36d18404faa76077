import ByteIO
import Checkpoints
import Codecs
import Conversion
import Safetensors
import TestSupport
import Testing

@testable import Layouts

/// Goldens/legacy-spqr was written by torch 2.11 (Scripts/make-legacy-spqr-sample.py), and its values computed there.
@Suite struct LegacySpQRTests {
  private static let golden = Fixtures.root + "/Tests/LayoutsTests/Goldens/legacy-spqr"
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func values(_ checkpoint: any Checkpoint, _ name: String) throws -> [UInt32] {
    let index = try #require(checkpoint.tensors.firstIndex { $0.name == name })
    let reader = SpanReader(checkpoint, tensor: index)
    return try reader.values(0..<reader.elements).withFloats { $0.map(\.bitPattern) }
  }

  @Test func valuesAreThoseOfTheLoader() throws {
    let model = try Layouts.open(Self.golden + "/model")
    let expected = try SafetensorsCheckpoint(Self.golden + "/expected.safetensors")
    #expect(Set(model.tensors.map(\.name)) == Set(expected.tensors.map(\.name)))
    for tensor in expected.tensors {
      #expect(try values(model, tensor.name) == values(expected, tensor.name), "\(tensor.name)")
    }
  }

  @Test func aBaleHoldsTheSame() throws {
    let model = try Layouts.open(Self.golden + "/model")
    let path = directory.file("a.bale")
    _ = try PackJob(model, plan: PackPlan(model, recipe: Recipe(name: "keep", rules: [])), options: PackOptions())
      .run(to: path, resources: Resources(threads: 2, memory: 64 << 20)) { _ in }
    let packed = try BaleCheckpoint(path)
    for tensor in model.tensors {
      #expect(try values(packed, tensor.name) == values(model, tensor.name))
      let codec = try #require(packed.tensors.first { $0.name == tensor.name }).codec
      #expect(codec.descriptor == tensor.codec.descriptor)
    }
    #expect(throws: PlanError.self) { try PublishedSpQRFiles(packed, sparse: .csr) }
  }

  /// Every cut and every changed byte of a file is read, or refused with a reason: nothing is executed, nothing traps.
  @Test func damageIsRefused() throws {
    let bytes = try Fixtures.bytes(Self.golden + "/model/0/mlp.down_proj")
    var random = SplitMix64(seed: 5)
    var refused = 0
    for round in 0..<600 {
      var damaged = bytes
      if round % 3 == 0 {
        damaged = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random)))
      } else {
        let at =
          round % 3 == 1
          ? Int.random(in: 0..<min(2600, bytes.count), using: &random)
          : Int.random(in: bytes.count - 1800..<bytes.count, using: &random)
        damaged[at] = UInt8.random(in: 0...255, using: &random)
      }
      let path = directory.file("damaged")
      let file = try OutputFile(path, overwrite: true)
      try file.write(damaged, at: 0)
      try file.commit(length: damaged.count)
      do {
        _ = try LegacySpQRModule(path, bits: 3).span()
      } catch is TorchError {
        refused += 1
      }
    }
    #expect(refused > 200)
  }

  private func read(_ pickle: [UInt8]) throws(TorchReason) -> PickleValue {
    var reader = PickleReader(pickle)
    return try reader.read()
  }

  @Test func whatIsNotPlainIsRefused() throws {
    // os.system("true")
    #expect(throws: TorchReason.pickle("it calls 'os.system'")) {
      try read(
        [0x80, 2] + Array("cos\nsystem\n".utf8) + [0x58, 4, 0, 0, 0] + Array("true".utf8) + [0x85, 0x52, 0x2E])
    }
    // An operation that no tensor needs: OBJ.
    #expect(throws: TorchReason.self) { try read([0x80, 2, 0x28, 0x6F, 0x2E]) }
    // Tuples in tuples, a hundred deep.
    #expect(throws: TorchReason.self) {
      try read([0x80, 2, 0x29] + [UInt8](repeating: 0x85, count: 100) + [0x2E])
    }
    // Values that aren't there.
    for bytes in [[0x2E], [0x85, 0x2E], [0x68, 0, 0x2E], [0x28, 0x2E], [0x65, 0x2E], [0x28, 0x30, 0x75, 0x2E], []] {
      #expect(throws: TorchReason.self) { try read(bytes.map { UInt8($0) }) }
    }
    // A list that is in two places may have grown in one of them.
    #expect(throws: TorchReason.self) { try read([0x80, 2, 0x5D, 0x71, 0, 0x68, 0, 0x86, 0x2E]) }
  }

  /// Were a list copied for each value that it gets, this would take minutes.
  @Test func aListGrowsInPlace() throws {
    let list = try read(
      [0x80, 2, 0x5D] + Array([[UInt8]](repeating: [0x4B, 1, 0x61], count: 60_000).joined()) + [0x2E])
    #expect(list.items?.count == 60_000)
    let pairs = [[UInt8]](repeating: [0x4B, 1, 0x4B, 2, 0x73], count: 60_000).joined()
    guard case .dictionary(let members) = try read([0x80, 2, 0x7D] + Array(pairs) + [0x2E]) else {
      Issue.record("no dictionary")
      return
    }
    #expect(members.count == 60_000)
  }

  /// A ZIP64 archive whose directory has more entries than can be counted.
  @Test func aDirectoryBeyondCounting() throws {
    func little(_ value: UInt64, _ count: Int) -> [UInt8] {
      (0..<count).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) : 0 }
    }
    let record = little(0x0606_4B50, 4) + little(0, 28) + little(.max, 8) + little(0, 8) + little(0, 8)
    let locator = little(0x0706_4B50, 4) + little(0, 4) + little(0, 8) + little(1, 4)
    let end = little(0x0605_4B50, 4) + little(0, 18)
    let path = directory.file("beyond")
    try FixtureCheckpoint.write(record + locator + end, to: path)
    #expect(throws: TorchError.self) { try TorchArchive(path) }
  }

  /// Coordinates of values that can't be counted twice over.
  @Test func outliersBeyondCounting() throws {
    var bytes = try Fixtures.bytes(Self.golden + "/model/0/mlp.down_proj")
    // (44,), (1,), False, an empty dictionary: the shape, strides and the rest of a tensor. In as many bytes:
    // (2^62,), (1,), None.
    let rest: [UInt8] = [0x4B, 44, 0x85, 0x71, 129, 0x4B, 1, 0x85, 0x71, 130, 0x89, 0x68, 10, 0x29, 0x52, 0x71, 131]
    let start = try #require(bytes.indices.first { bytes[$0...].starts(with: rest) })
    let large: [UInt8] = [0x8A, 8, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x85, 0x71, 129, 0x4B, 1, 0x85, 0x4E]
    bytes.replaceSubrange(start..<start + rest.count, with: large)
    let path = directory.file("outliers")
    try FixtureCheckpoint.write(bytes, to: path)
    #expect(throws: TorchError.self) { try LegacySpQRModule(path, bits: 3).span() }
  }
}
