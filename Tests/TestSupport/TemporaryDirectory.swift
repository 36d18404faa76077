import ByteIO

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A directory for one test, removed with all it holds when the test lets go of it.
public final class TemporaryDirectory: Sendable {
  public let path: String

  public init() throws {
    var template = Array("/tmp/bale-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw IOError("create", path: "/tmp", code: errno) }
    path = template.withUnsafeBufferPointer { String(cString: $0.baseAddress.unsafelyUnwrapped) }
  }

  deinit { Self.remove(path) }

  public func file(_ name: String) -> String { Path.join(path, name) }

  /// Writes a file, making the directories above it.
  @discardableResult public func write(_ bytes: [UInt8], to name: String) throws -> String {
    let path = file(name)
    try Path.createDirectory(Path.directory(of: path))
    let output = try OutputFile(path, overwrite: true)
    try output.write(bytes, at: 0)
    try output.commit(length: bytes.count)
    return path
  }

  private static func remove(_ path: String) {
    for name in (try? Path.entries(of: path)) ?? [] { remove(Path.join(path, name)) }
    if Path.isDirectory(path) { rmdir(path) } else { unlink(path) }
  }
}
