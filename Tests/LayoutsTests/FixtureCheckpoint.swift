import ByteIO
import Checkpoints
import Codecs
import Conversion
import Layouts
import Safetensors
import Tensors
import TestSupport

/// A fixture as a model's directory: its tensors as model.safetensors, its configuration as config.json.
struct FixtureCheckpoint {
  let directory: TemporaryDirectory
  let name: String
  let source: String

  init(_ folder: String, _ name: String, configuration: String = "config.json") throws {
    try self.init(path: Fixtures.shared("fixtures/\(folder)/\(name)"), configuration: configuration)
  }

  /// - Parameter fixture: what the names of its files begin with.
  init(path fixture: String, configuration: String = "config.json") throws {
    name = Path.name(of: fixture)
    directory = try TemporaryDirectory()
    source = directory.path + "/model"
    try Path.createDirectory(source)
    try Self.write(try Fixtures.bytes("\(fixture).safetensors"), to: "\(source)/model.safetensors")
    if let config = try? Fixtures.bytes("\(fixture).config.json") {
      try Self.write(config, to: "\(source)/\(configuration)")
    }
    expected = "\(fixture).expected.safetensors"
  }

  private let expected: String

  static func write(_ bytes: [UInt8], to path: String) throws {
    let output = try OutputFile(path, size: bytes.count, overwrite: true)
    try bytes.withUnsafeBytes { try output.write($0, at: 0) }
    try output.commit(length: bytes.count)
  }

  func opened(_ arithmetic: Arithmetic = .exact) throws -> any Checkpoint {
    try Layouts.open(source, arithmetic: arithmetic)
  }

  /// The only logical tensor's values, as F32 bit patterns.
  func values(of checkpoint: any Checkpoint, _ tensor: Int) throws -> [UInt32] {
    let reader = SpanReader(checkpoint, tensor: tensor)
    let values = try reader.read(0..<reader.elements).values(reader.codec)
    return values.withFloats { $0.map(\.bitPattern) }
  }

  /// An expected tensor, widened to F32.
  func expectedValues(_ key: String) throws -> [UInt32] {
    let file = try SafetensorsCheckpoint(expected)
    let index = file.tensors.firstIndex { $0.name == key } ?? 0
    return try values(of: file, index)
  }

  /// Packs, unpacks, and tells which files came back with other bytes, and the encodings in the `.bale`.
  func roundTrip() throws -> (differing: [String], encodings: [String: String]) {
    let checkpoint = try opened()
    let recipe = try Recipe(named: "lossless")
    let bale = directory.path + "/packed.bale"
    let resources = Resources(threads: 2, memory: 64 << 20)
    let plan = try PackPlan(checkpoint, recipe: recipe)
    _ = try PackJob(checkpoint, plan: plan, options: PackOptions()).run(to: bale, resources: resources) { _ in }
    let packed = try BaleCheckpoint(bale)
    let restored = directory.path + "/restored"
    _ = try UnpackJob(packed).run(to: restored, overwrite: false, resources: resources) { _ in }
    let differing = try checkpoint.files.map(\.name).filter {
      try Fixtures.bytes("\(source)/\($0)") != Fixtures.bytes("\(restored)/\($0)")
    }
    let encodings = Dictionary(uniqueKeysWithValues: packed.tensors.map { ($0.name, "\($0.codec.descriptor)") })
    return (differing, encodings)
  }
}
