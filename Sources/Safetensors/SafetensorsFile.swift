import ByteIO

/// A safetensors file open for reading: its header is read and checked, its tensors are read when asked for.
public struct SafetensorsFile: Sendable {
  public let input: InputFile
  public let header: SafetensorsHeader

  /// Opens a file. Throws `SafetensorsError`, or `IOError` if it can't be read.
  public init(_ path: String, options: SafetensorsOptions = SafetensorsOptions()) throws {
    let input = try InputFile(path)
    let prefix = try input.bytes(0..<min(SafetensorsHeader.lengthSize, input.size))
    let length = try SafetensorsHeader.length(from: prefix, fileSize: input.size, file: path)
    let json = try input.bytes(SafetensorsHeader.lengthSize..<SafetensorsHeader.lengthSize + length)
    self.input = input
    self.header = try json.withUnsafeBytes {
      try SafetensorsHeader(json: $0, fileSize: input.size, file: path, options: options)
    }
  }

  public var path: String { input.path }
  public var tensors: [SafetensorsTensor] { header.tensors }
  public var metadata: [SafetensorsMetadataEntry]? { header.metadata }
  public subscript(name: String) -> SafetensorsTensor? { header[name] }

  /// The bytes of the file before the first tensor's data, as they are: length, JSON and padding.
  public func headerBytes() throws -> [UInt8] { try input.bytes(header.headerRange) }

  /// All bytes of a tensor.
  public func bytes(of tensor: SafetensorsTensor) throws -> [UInt8] { try input.bytes(tensor.bytes) }
}
