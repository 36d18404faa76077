import ByteIO

/// Where test inputs lie. `samples` is part of the project; `shared` may lie beside the checkout or not.
public enum Fixtures {
  /// The root of the checkout, from where this file was compiled.
  public static let root: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    return parts.dropLast(3).joined(separator: "/")
  }()

  public static let samples = root + "/samples"

  /// The folder of shared fixtures beside the checkout, or nil. Tests that need it are `.enabled(if:)` it exists.
  public static let shared: String? = {
    let path = Path.directory(of: root) + "/shared"
    return Path.isDirectory(path) ? path : nil
  }()

  public static let hasShared = shared != nil

  /// A path below the shared folder; the empty path if there is none.
  public static func shared(_ path: String) -> String { shared.map { "\($0)/\(path)" } ?? "" }

  /// The bytes of a file.
  public static func bytes(_ path: String) throws -> [UInt8] {
    let file = try InputFile(path)
    return try file.bytes(0..<file.size)
  }
}
