import ByteIO
import JSON

/// The small files of a Hugging Face model directory, read.
public struct HuggingFaceModel: Sendable {
  /// Largest file that is read whole.
  static let mostBytes = 1 << 28

  /// Last component of the directory's path: a model without a name is called after it.
  public var directoryName: String
  public var config: JSONValue
  public var generationConfig: JSONValue?
  public var modelCard: ModelCard?
  public var tokenizer: TokenizerFiles

  public init(
    directoryName: String, config: JSONValue, generationConfig: JSONValue? = nil, modelCard: ModelCard? = nil,
    tokenizer: TokenizerFiles = TokenizerFiles()
  ) {
    self.directoryName = directoryName
    self.config = config
    self.generationConfig = generationConfig
    self.modelCard = modelCard
    self.tokenizer = tokenizer
  }

  /// Reads a directory. Throws `ArchitectureError` if it has no config.json or a file is too large, a
  /// `Fault<JSONReason>` for a file that isn't JSON, `IOError` if one can't be read.
  public init(directory: String) throws {
    guard let config = try Self.json("config.json", in: directory) else {
      throw ArchitectureError.missingFile("config.json")
    }
    guard config.object != nil else { throw ArchitectureError.missingParameter("architectures") }
    self.config = config
    directoryName = Path.name(of: directory)
    // A broken one is passed over: it only recommends settings.
    generationConfig = try? Self.json("generation_config.json", in: directory)
    modelCard = try Self.bytes("README.md", in: directory).flatMap {
      ModelCard(readme: String(decoding: $0, as: UTF8.self))
    }
    tokenizer = try TokenizerFiles(directory: directory)
  }

  /// A file's bytes, or nil if it isn't there.
  static func bytes(_ name: String, in directory: String) throws -> [UInt8]? {
    let path = Path.join(directory, name)
    guard Path.exists(path), !Path.isDirectory(path) else { return nil }
    let file = try InputFile(path)
    guard file.size <= mostBytes else { throw ArchitectureError.tokenizer("\(name) is larger than 256 MiB") }
    return try file.bytes(0..<file.size)
  }

  static func json(_ name: String, in directory: String) throws -> JSONValue? {
    guard let bytes = try bytes(name, in: directory) else { return nil }
    do {
      return try JSONValue(parsing: bytes, duplicateKeys: .kept)
    } catch {
      throw error.fault(in: Path.join(directory, name))
    }
  }
}
