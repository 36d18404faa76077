import ByteIO
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Where a conversion writes: one file, or a directory of files.
public struct ConvertDestination: Sendable {
  public var path: String
  public var isSingleFile: Bool
  public var overwrite: Bool

  public init(path: String, isSingleFile: Bool, overwrite: Bool) {
    self.path = path
    self.isSingleFile = isSingleFile
    self.overwrite = overwrite
  }
}

/// The files of one output, all under temporary names until every one is complete. Dropped without a commit, they
/// leave nothing behind, not even the directory if they made it.
final class OutputFiles: Sendable {
  /// The files that hold tensors, in the order of the plan.
  let tensors: [OutputFile]
  private let destination: ConvertDestination
  private let sizes: [Int]
  private let others = Mutex<[(file: OutputFile, size: Int)]>([])
  // Last, so that it goes when the files in it are gone.
  private let directory: OutputDirectory?

  init(_ destination: ConvertDestination, plan: ConvertPlan) throws {
    self.destination = destination
    directory =
      destination.isSingleFile ? nil : try OutputDirectory(destination.path, overwrite: destination.overwrite)
    sizes = plan.files.map(\.size)
    tensors = try plan.files.map { file in
      let path = destination.isSingleFile ? destination.path : Path.join(destination.path, file.name)
      return try OutputFile(path, size: file.size, overwrite: destination.overwrite)
    }
  }

  /// Adds a small file.
  func add(_ name: String, _ bytes: [UInt8]) throws {
    let path = Path.join(destination.path, name)
    try Path.createDirectory(Path.directory(of: path))
    let file = try OutputFile(path, overwrite: destination.overwrite)
    try file.write(bytes, at: 0)
    others.withLock { $0.append((file, bytes.count)) }
  }

  /// Gives every file its name: those that travel along first, those that hold tensors last.
  func commit() throws {
    for (file, size) in others.withLock({ $0 }) { try file.commit(length: size) }
    for (file, size) in zip(tensors, sizes) { try file.commit(length: size) }
    directory?.keep()
  }
}

/// A directory made for an output, removed again if the output never comes about.
final class OutputDirectory: Sendable {
  private let path: String
  private let isNew: Bool
  private let isKept = Mutex(false)

  /// Makes the directory, or takes one that is there and empty. Throws `IOError`: ENOTEMPTY for one that isn't, unless
  /// files in it may be overwritten.
  init(_ path: String, overwrite: Bool) throws {
    self.path = path
    isNew = !Path.exists(path)
    if isNew {
      try Path.createDirectory(path)
    } else if try !overwrite && !Path.entries(of: path).isEmpty {
      throw IOError("write into", path: path, code: ENOTEMPTY)
    }
  }

  func keep() { isKept.withLock { $0 = true } }

  deinit {
    if isNew && !isKept.withLock({ $0 }) { Path.removeDirectory(path) }
  }
}
