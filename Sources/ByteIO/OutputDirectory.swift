import Pipeline

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A directory of output files. One that doesn't exist yet is filled under a temporary name beside its final one,
/// which it takes in `commit`, when every file in it is complete; dropped without a commit it leaves nothing behind.
/// One that is there is written into.
public final class OutputDirectory: Sendable {
  /// Where the files are to be written.
  public let path: String
  private let finalPath: String
  private let isOpen: Lock<Bool>
  private let isKept: Bool

  /// Makes the directory. Throws `IOError`: ENOTEMPTY for one that is there and not empty, unless files in it may be
  /// overwritten.
  public init(_ path: String, overwrite: Bool) throws {
    let slashes = path.reversed().prefix { $0 == "/" }.count
    finalPath = slashes < path.count ? String(path.dropLast(slashes)) : path
    let isNew = !Path.exists(finalPath)
    isKept = false
    self.path = isNew ? "\(finalPath).partial-\(getpid())-\(UInt32.random(in: 0 ... .max))" : finalPath
    isOpen = Lock(isNew)
    if isNew {
      TemporaryFiles.shared.insert(self.path)
      try Path.createDirectory(self.path)
    } else if try !overwrite && !Path.entries(of: finalPath).isEmpty {
      throw IOError("write into", path: finalPath, code: ENOTEMPTY)
    }
  }

  /// Makes the directory `PATH.partial`, or opens it as an earlier process left it; without a commit it stays. A
  /// directory that is there under its final name is written into. Throws as the other initializer does.
  public init(keeping path: String, overwrite: Bool) throws {
    let slashes = path.reversed().prefix { $0 == "/" }.count
    finalPath = slashes < path.count ? String(path.dropLast(slashes)) : path
    let isNew = !Path.exists(finalPath)
    isKept = true
    self.path = isNew ? finalPath + ".partial" : finalPath
    isOpen = Lock(isNew)
    if isNew {
      try Path.createDirectory(self.path)
      for name in try Path.entries(of: self.path) where name.contains(".partial-") {
        Path.remove(Path.join(self.path, name))
      }
    } else if try !overwrite && !Path.entries(of: finalPath).isEmpty {
      throw IOError("write into", path: finalPath, code: ENOTEMPTY)
    }
  }

  /// Removes the directory with all it holds, even one that is kept, unless it was committed or was there before.
  public func remove() {
    guard isOpen.withLock({ $0 }) else { return }
    Path.removeTree(path)
  }

  deinit { discard() }

  /// Gives the directory its final name, durably. Throws `IOError`; a new directory is then gone.
  public func commit() throws {
    guard isOpen.withLock({ $0 }) else { return }
    guard rename(path, finalPath) == 0 else { throw IOError("rename to", path: finalPath, code: errno) }
    isOpen.withLock { $0 = false }
    TemporaryFiles.shared.remove(path)
    do {
      try Path.flush(directory: Path.directory(of: finalPath))
    } catch {
      Path.removeTree(finalPath)
      throw error
    }
  }

  private func discard() {
    guard !isKept, isOpen.withLock({ $0 }) else { return }
    Path.removeTree(path)
    TemporaryFiles.shared.remove(path)
  }
}
