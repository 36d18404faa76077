import ByteIO
import Synchronization

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
    let directory =
      destination.isSingleFile ? nil : try OutputDirectory(destination.path, overwrite: destination.overwrite)
    self.directory = directory
    sizes = plan.files.map(\.size)
    tensors = try plan.files.map { file in
      // Several files under one name are the shards of a GGUF model, named after it.
      let beside = plan.files.count > 1 ? Path.join(Path.directory(of: destination.path), file.name) : destination.path
      let path = directory.map { Path.join($0.path, file.name) } ?? beside
      return try OutputFile(path, size: file.size, overwrite: destination.overwrite)
    }
  }

  /// Adds a small file.
  func add(_ name: String, _ bytes: [UInt8]) throws {
    let path = Path.join(directory?.path ?? destination.path, name)
    try Path.createDirectory(Path.directory(of: path))
    let file = try OutputFile(path, overwrite: destination.overwrite)
    try file.write(bytes, at: 0)
    others.withLock { $0.append((file, bytes.count)) }
  }

  /// Gives every file its name: those that travel along first, those that hold tensors last.
  func commit() throws {
    for (file, size) in others.withLock({ $0 }) { try file.commit(length: size) }
    for (file, size) in zip(tensors, sizes) { try file.commit(length: size) }
    try directory?.commit()
  }
}
