import ByteIO
import Pipeline

/// Where a conversion writes: one file, or a directory of files.
public struct ConvertDestination: Sendable {
  public var path: String
  public var isSingleFile: Bool
  public var overwrite: Bool
  /// True to leave what an interrupted run has written, and to go on where one was interrupted.
  public var isResumable = false

  public init(path: String, isSingleFile: Bool, overwrite: Bool) {
    self.path = path
    self.isSingleFile = isSingleFile
    self.overwrite = overwrite
  }
}

/// The files of one output, all under temporary names until every one is complete. Dropped without a commit, they
/// leave nothing behind, not even the directory if they made it; unless they are to be continued.
final class OutputFiles: Sendable {
  /// The files that hold tensors, in the order of the plan.
  let tensors: [OutputFile]
  /// True if every one was there, as an earlier run left it.
  let isContinued: Bool
  private let destination: ConvertDestination
  private let sizes: [Int]
  private let others = Lock<[(file: OutputFile, size: Int)]>([])
  // Last, so that it goes when the files in it are gone.
  private let directory: OutputDirectory?

  /// - Parameter isComplete: true if an earlier run has written all tensors, and may have named some files already.
  init(_ destination: ConvertDestination, plan: ConvertPlan, isComplete: Bool = false) throws {
    var destination = destination
    if isComplete { destination.overwrite = true }
    self.destination = destination
    directory = destination.isSingleFile ? nil : try Self.directory(destination)
    sizes = plan.files.map(\.size)
    var isContinued = true
    var files: [OutputFile] = []
    for file in plan.files {
      // Several files under one name are the shards of a GGUF model, named after it.
      let beside = plan.files.count > 1 ? Path.join(Path.directory(of: destination.path), file.name) : destination.path
      let path = directory.map { Path.join($0.path, file.name) } ?? beside
      if destination.isResumable {
        let partial = path + ".partial"
        if isComplete && !Path.exists(partial) { Path.move(path, to: partial) }
        isContinued = isContinued && Path.exists(partial)
        files.append(try OutputFile(path, keptAs: partial, size: file.size, overwrite: destination.overwrite))
      } else {
        files.append(try OutputFile(path, size: file.size, overwrite: destination.overwrite))
      }
    }
    tensors = files
    self.isContinued = isContinued
  }

  private static func directory(_ destination: ConvertDestination) throws -> OutputDirectory {
    destination.isResumable
      ? try OutputDirectory(keeping: destination.path, overwrite: destination.overwrite)
      : try OutputDirectory(destination.path, overwrite: destination.overwrite)
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

  /// Removes what was written, even if it was to be continued.
  func remove() {
    for file in tensors { file.remove() }
    for (file, _) in others.withLock({ $0 }) { file.remove() }
    directory?.remove()
  }
}
