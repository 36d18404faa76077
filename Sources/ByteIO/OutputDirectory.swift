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
  public convenience init(_ path: String, overwrite: Bool) throws {
    try self.init(path, overwrite: overwrite, isKept: false)
  }

  /// Makes the directory `PATH.partial`, or opens it as an earlier process left it; without a commit it stays. A
  /// directory that is there under its final name is written into. Throws as the other initializer does.
  public convenience init(keeping path: String, overwrite: Bool) throws {
    try self.init(path, overwrite: overwrite, isKept: true)
  }

  private init(_ path: String, overwrite: Bool, isKept: Bool) throws {
    let slashes = path.reversed().prefix { $0 == "/" }.count
    finalPath = slashes < path.count ? String(path.dropLast(slashes)) : path
    let isNew = !Path.exists(finalPath)
    let partial = finalPath + ".partial" + (isKept ? "" : "-\(getpid())-\(UInt32.random(in: 0 ... .max))")
    self.isKept = isKept
    self.path = isNew ? partial : finalPath
    isOpen = Lock(isNew)
    guard isNew else {
      if try overwrite || Path.entries(of: finalPath).isEmpty { return }
      throw IOError("write into", path: finalPath, code: ENOTEMPTY)
    }
    if !isKept { TemporaryFiles.shared.insert(partial) }
    try Path.createDirectory(partial)
    guard isKept else { return }
    // What an earlier process didn't finish.
    for name in try Path.entries(of: partial) where name.contains(".partial-") { Path.remove(Path.join(partial, name)) }
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
