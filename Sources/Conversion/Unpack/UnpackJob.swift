import ByteIO
import Checkpoints
import Codecs
import Pipeline

/// Restores the original files from a `.bale`: byte for byte where their tensors were packed losslessly, else with the
/// values that were kept, in the dtypes they had.
public struct UnpackJob: Sendable {
  let checkpoint: BaleCheckpoint

  public init(_ checkpoint: BaleCheckpoint) { self.checkpoint = checkpoint }

  /// Bytes of all files.
  public var size: Int { checkpoint.files.reduce(0) { $0 + $1.size } }

  /// Writes the files below `directory`. Throws `RestoredDifferently` if a file that was packed losslessly comes out
  /// with another digest, and the errors of reading and writing; nothing is then left.
  public func run(
    to directory: String, overwrite: Bool, resources: Resources, progress: @escaping ProgressHandler
  ) throws -> [RestoredFile] {
    guard !checkpoint.files.isEmpty else { throw NothingToRestore(path: checkpoint.path) }
    try checkpoint.checkBase()
    let target = try OutputDirectory(directory, overwrite: overwrite)
    var outputs: [OutputFile] = []
    var restored: [RestoredFile] = []
    let done = Monitor(0)
    for file in checkpoint.files {
      let path = Path.join(target.path, file.name)
      try Path.createDirectory(Path.directory(of: path))
      let output = try OutputFile(path, size: file.size, overwrite: overwrite)
      outputs.append(output)
      let pieces = try FilePieces(checkpoint, file: file)
      restored.append(
        try write(pieces, of: file, to: output, resources: resources) { count in
          let bytes = done.withLock { sum in
            sum += count
            return sum
          }
          progress(Progress(bytesDone: bytes, bytesTotal: size))
        })
    }
    for (output, file) in zip(outputs, checkpoint.files) { try output.commit(length: file.size) }
    try target.commit()
    return restored
  }

  private func write(
    _ pieces: FilePieces, of file: CheckpointFile, to output: OutputFile, resources: Resources,
    wrote: @escaping @Sendable (Int) -> Void
  ) throws -> RestoredFile {
    let sink = HashingSink(output)
    try OrderedPipeline.run(
      count: pieces.units.count, threads: resources.threads, window: resources.window(itemBytes: pieces.largest)
    ) { index in
      try pieces.bytes(of: pieces.units[index])
    } consume: { _, buffer in
      try buffer.withBytes { try sink.append($0) }
      wrote(buffer.count)
    }
    let digest = sink.finish()
    let expected = try checkpoint.sha256(of: file) ?? []
    if pieces.isExact && digest != expected {
      throw RestoredDifferently(path: checkpoint.path, file: file.name, expected: expected, found: digest)
    }
    return RestoredFile(
      name: file.name, size: file.size, sha256: digest, isOriginal: digest == expected, isExact: pieces.isExact)
  }
}

/// A file that `unpack` wrote.
public struct RestoredFile: Sendable, Equatable {
  public var name: String
  public var size: Int
  public var sha256: [UInt8]
  /// True if its digest is that of the original.
  public var isOriginal: Bool
  /// True if it was packed losslessly.
  public var isExact: Bool
}

/// A file that was packed losslessly and comes out otherwise: a fault of Bale, which no digest of the `.bale` shows.
public struct RestoredDifferently: BadFileError, Equatable {
  public var path: String
  public var file: String
  public var expected: [UInt8]
  public var found: [UInt8]

  public var description: String {
    "\(path): '\(file)' should have SHA-256 \(hexadecimal(expected)) and comes out with \(hexadecimal(found))"
  }
}

/// A `.bale` file in which no original files travel.
public struct NothingToRestore: Error, Equatable, CustomStringConvertible {
  public var path: String

  public var description: String {
    "\(path): no original files can be restored from it; 'bale convert' writes its tensors as safetensors or GGUF"
  }
}

/// Writes front to back and hashes what it writes. One thread at a time uses it.
private final class HashingSink: @unchecked Sendable {
  private let output: OutputFile
  private let hash = SHA256()
  private var offset = 0

  init(_ output: OutputFile) { self.output = output }

  func append(_ bytes: UnsafeRawBufferPointer) throws {
    try output.write(bytes, at: offset)
    hash.update(bytes)
    offset += bytes.count
  }

  func finish() -> [UInt8] { hash.finish() }
}
