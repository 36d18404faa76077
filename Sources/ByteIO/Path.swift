#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Paths as strings: the few operations that Bale needs.
public enum Path {
  /// The part before the last slash: "." if there is none.
  public static func directory(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The part after the last slash.
  public static func name(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  public static func join(_ directory: String, _ name: String) -> String {
    directory.hasSuffix("/") ? directory + name : directory + "/" + name
  }

  public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  public static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Names of a directory's entries, sorted, without "." and "..". Throws `IOError`.
  public static func entries(of directory: String) throws -> [String] {
    guard let stream = opendir(directory) else {
      throw IOError("list", path: directory, code: errno)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// True if `name` is a relative path that stays below the directory it is joined to: no empty, "." or ".."
  /// component, no leading slash, no NUL or backslash.
  public static func isContained(_ name: String) -> Bool {
    guard !name.isEmpty, !name.utf8.contains(0), !name.utf8.contains(UInt8(ascii: "\\")) else { return false }
    return name.split(separator: "/", omittingEmptySubsequences: false)
      .allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
  }

  /// Gives a file another name, if it is there.
  public static func move(_ path: String, to other: String) { rename(path, other) }

  /// Removes a file if it is there.
  public static func remove(_ path: String) { unlink(path) }

  /// Removes a file, or a directory with all it holds, as far as that can be done. Links are not followed.
  public static func removeTree(_ path: String) {
    if unlink(path) == 0 || errno == ENOENT { return }
    for name in (try? entries(of: path)) ?? [] { removeTree(join(path, name)) }
    rmdir(path)
  }

  /// Makes the names in a directory durable. Throws `IOError`.
  public static func flush(directory: String) throws {
    let handle = retryingOnInterrupt { open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard handle >= 0 else { throw IOError("open", path: directory, code: errno) }
    defer { close(handle) }
    guard fsync(handle) == 0 else { throw IOError("flush", path: directory, code: errno) }
  }

  /// Creates a directory and its missing parents. Throws `IOError`.
  public static func createDirectory(_ path: String) throws {
    if isDirectory(path) { return }
    let parent = directory(of: path)
    if parent != path && parent != "." && !isDirectory(parent) { try createDirectory(parent) }
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
      throw IOError("create the directory", path: path, code: errno)
    }
  }
}
