import ByteIO

/// A GGUF file open for reading: its header, and the data of its tensors on request.
public struct GGUFFile: Sendable {
  public let input: InputFile
  public let header: GGUFHeader

  /// Opens a file and reads its header; no tensor data is read. Throws `GGUFError`, `IOError` or `SourceChanged`.
  public init(_ path: String) throws {
    input = try InputFile(path)
    header = try GGUFHeader(parsing: input)
  }

  public var path: String { input.path }
  public var metadata: GGUFMetadata { header.metadata }
  public var tensors: [GGUFTensor] { header.tensors }
}
