import ByteIO

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file of a model: a directory's, by its path in it, or the model itself.
public struct ModelFile: Sendable, Equatable {
  /// Relative to the model, with "/" between directories; "." for a model that is one file.
  public var name: String
  public var path: String
}

/// The regular files of a model.
public struct ModelFiles: Sendable {
  /// What Git keeps beside a model, which is not of it.
  public static let gitNames = [".git", ".gitattributes", ".github", ".gitignore"]

  /// By the bytes of their names.
  public let files: [ModelFile]

  /// Lists a directory with all below it, or the one file.
  /// - Parameters:
  ///   - ignored: names relative to the model; of a directory, all below it.
  ///   - followsLinks: false to refuse symbolic links, which may lead anywhere.
  /// Throws `IOError`: ELOOP for a link where none is followed.
  public init(of path: String, ignored: [String] = [], followsLinks: Bool) throws {
    guard try followsLinks || !Self.isLink(path) else { throw IOError("follow", path: path, code: ELOOP) }
    guard Path.isDirectory(path) else {
      files = [ModelFile(name: ".", path: path)]
      return
    }
    let ignored = Set(ignored)
    var files: [ModelFile] = []
    var open = [""]
    while let folder = open.popLast() {
      for entry in try Path.entries(of: folder.isEmpty ? path : Path.join(path, folder)) {
        let file = ModelFile(
          name: folder.isEmpty ? entry : Path.join(folder, entry),
          path: Path.join(folder.isEmpty ? path : Path.join(path, folder), entry))
        if ignored.contains(file.name) { continue }
        let isLink = try Self.isLink(file.path)
        guard followsLinks || !isLink else { throw IOError("follow", path: file.path, code: ELOOP) }
        if !Path.isDirectory(file.path) {
          files.append(file)
        } else if !isLink {
          // A link to a directory could lead back up; only links to files are followed.
          open.append(file.name)
        } else {
          throw IOError("follow", path: file.path, code: ELOOP)
        }
      }
    }
    self.files = files.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  /// The name that a path has in a model, if it lies in it: what `ignored` takes.
  public static func name(of path: String, in model: String) -> String? {
    guard let model = resolved(model), let folder = resolved(Path.directory(of: path)) else { return nil }
    let full = Path.join(folder, Path.name(of: path))
    return full.hasPrefix(model + "/") ? String(full.dropFirst(model.count + 1)) : nil
  }

  private static func resolved(_ path: String) -> String? {
    guard let full = realpath(path, nil) else { return nil }
    defer { free(full) }
    return String(cString: full)
  }

  private static func isLink(_ path: String) throws -> Bool {
    var status = stat()
    guard lstat(path, &status) == 0 else { throw IOError("read the status of", path: path, code: errno) }
    return status.st_mode & S_IFMT == S_IFLNK
  }
}
