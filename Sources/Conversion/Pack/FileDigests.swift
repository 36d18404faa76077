import ByteIO
import Checkpoints
import JSON
import Pipeline

/// The SHA-256 of every file of a checkpoint, computed beside the packing.
final class FileDigests: Sendable {
  private let checkpoint: any Checkpoint
  private let state = Lock(State())

  private struct State {
    var next = 0
    var cancelled = false
    var results: [ExactString: [UInt8]] = [:]
    var error: (any Error)?
  }

  private struct Cancelled: Error {}

  init(_ checkpoint: any Checkpoint) { self.checkpoint = checkpoint }

  /// The digests by file name, when `run` has returned.
  var results: [ExactString: [UInt8]] { state.withLock { $0.results } }

  func cancel() { state.withLock { $0.cancelled = true } }

  /// Hashes all files, several at a time. Throws the first error.
  func run(threads: Int) throws {
    let files = checkpoint.files
    Workers.run(min(threads, max(files.count, 1))) { _ in
      while let index = self.take(below: files.count) {
        do {
          let digest = try self.digest(files[index])
          self.state.withLock { $0.results[ExactString(files[index].name)] = digest }
        } catch {
          self.state.withLock { if $0.error == nil { $0.error = error } }
        }
      }
    }
    try state.withLock { if let error = $0.error { throw error } }
  }

  private func take(below count: Int) -> Int? {
    state.withLock { state in
      guard state.next < count, state.error == nil, !state.cancelled else { return nil }
      defer { state.next += 1 }
      return state.next
    }
  }

  private func digest(_ file: CheckpointFile) throws -> [UInt8] {
    if let known = try checkpoint.sha256(of: file) { return known }
    let hash = SHA256()
    let input = try checkpoint.open(file)
    let buffer = ByteBuffer(count: 256 << 10)
    for start in stride(from: 0, to: input.size, by: buffer.count) {
      if state.withLock({ $0.cancelled }) { throw Cancelled() }
      try buffer.withMutableBytes { bytes in
        let part = UnsafeMutableRawBufferPointer(rebasing: bytes[..<min(bytes.count, input.size - start)])
        try input.read(at: start, into: part)
        hash.update(UnsafeRawBufferPointer(part))
      }
    }
    return hash.finish()
  }
}
