import ByteIO
import Codecs
import GGUF
import JSON
import Tensors
import TestSupport

@testable import Architectures

/// What Scripts/make-architecture-goldens.py keeps of a tiny model and its conversion.
struct Golden {
  let directory: String
  let config: JSONValue
  let sources: [SourceTensor]
  /// Key, type and value.
  let keyValues: [(key: String, type: String, value: JSONValue)]
  let output: [(name: String, type: String, shape: [Int], digest: String)]

  struct Malformed: Error {}

  init(_ name: String) throws {
    let json = try JSONValue(parsing: Fixtures.bytes("\(Self.folder)/\(name)"))
    guard let directory = json["directory"]?.string, let config = json["config"], let tensors = json["tensors"]?.array,
      let keyValues = json["keyValues"]?.array, let output = json["output"]?.array
    else { throw Malformed() }
    self.directory = directory
    self.config = config
    sources = try tensors.map { entry in
      guard let name = entry[0]?.string, let shape = Shape(entry[1]?.array?.compactMap(\.int) ?? []) else {
        throw Malformed()
      }
      guard let dtype = DType(rawValue: entry[2]?.string ?? "BF16") else { throw Malformed() }
      return SourceTensor(name: name, shape: shape, dtype: dtype)
    }
    self.keyValues = try keyValues.map { entry in
      guard let key = entry[0]?.string, let type = entry[1]?.string, let value = entry[2] else { throw Malformed() }
      return (key, type, value)
    }
    self.output = try output.map { entry in
      guard let name = entry[0]?.string, let type = entry[1]?.string, let shape = entry[2]?.array,
        let digest = entry[3]?.string
      else { throw Malformed() }
      return (name, type, shape.compactMap(\.int), digest)
    }
  }

  static let folder = Fixtures.root + "/Tests/ArchitecturesTests/Goldens"

  static func names() -> [String] { ((try? Path.entries(of: folder)) ?? []).filter { $0.hasSuffix(".json") } }

  /// The weights of the tensor at `index`, by the script's formula.
  func weights(_ index: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    if sources[index].dtype == .u8 {
      return (0..<sources[index].shape.elements).map { UInt8(truncatingIfNeeded: $0 * 37 + index * 11) }
    }
    for element in 0..<sources[index].shape.elements {
      let bits = 0x3C00 + (element * 31 + index * 17) % 509 + (element % 3 == 0 ? 0x8000 : 0)
      bytes += [UInt8(truncatingIfNeeded: bits), UInt8(truncatingIfNeeded: bits >> 8)]
    }
    return bytes
  }

  func input(_ index: Int) -> MapReference.Input {
    MapReference.Input(bytes: weights(index), dtype: sources[index].dtype)
  }

  func architecture() throws -> Architecture {
    guard let architecture = ArchitectureRegistry.find(config: config) else { throw Malformed() }
    return architecture
  }

  /// The tokenizer that the script gave the models has 503 tokens.
  func map() throws -> ArchitectureMap {
    try architecture().map(config: config, tensors: sources, type: .bf16, vocabulary: 503)
  }
}
