import ByteIO
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Opening a checkpoint of any format.
public enum Checkpoints {
  /// Opens a directory (safetensors, else the one ONNX model in it), or a file by its first bytes, whatever its name.
  /// Throws the format's error, `IOError`, or `UnknownFormat`.
  public static func open(_ path: String) throws -> any Checkpoint {
    switch try format(of: path) {
    case .safetensors: try SafetensorsCheckpoint(path)
    case .gguf: try openGGUF(path)
    case .bale: try BaleCheckpoint(path)
    case .onnx: try ONNXCheckpoint(path)
    }
  }

  private static func openGGUF(_ path: String) throws -> any Checkpoint {
    let checkpoint = try GGUFCheckpoint(path)
    return checkpoint.isBigEndian ? try BigEndianGGUFCheckpoint(checkpoint) : checkpoint
  }

  /// The format of what lies at a path.
  public static func format(of path: String) throws -> ContainerFormat {
    if Path.isDirectory(path) { return try ONNXCheckpoint.isModel(path) ? .onnx : .safetensors }
    if path.hasSuffix(".onnx") { return .onnx }
    let file = try InputFile(path)
    let start = try file.bytes(0..<min(16, file.size))
    if start.starts(with: Array("GGUF".utf8)) { return .gguf }
    if start.dropFirst().starts(with: Array("BALE".utf8)) || path.hasSuffix(".bale") { return .bale }
    if path.hasSuffix(".safetensors") || path.hasSuffix(".json") { return .safetensors }
    if path.hasSuffix(".gguf") { return .gguf }
    // A safetensors file of another name: a header length, then a JSON object.
    if start.count >= 9, start[8] == UInt8(ascii: "{") { return .safetensors }
    throw UnknownFormat(path: path)
  }

  /// The format that a path to be written asks for by its ending; nil for a directory.
  public static func format(ofDestination path: String) -> ContainerFormat? {
    ContainerFormat.allCases.first { path.hasSuffix(".\($0.rawValue)") }
  }
}

/// A file that is none of the formats that Bale reads.
public struct UnknownFormat: BadFileError, Equatable {
  public var path: String

  public var description: String { "\(path): neither safetensors, nor GGUF, nor ONNX, nor .bale" }
}
