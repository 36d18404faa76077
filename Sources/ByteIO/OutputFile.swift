import CLinux
import Pipeline
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file being written under a temporary name beside its final one. It takes the final name only in `commit`, when
/// it is complete and durable; an `OutputFile` that is dropped without a commit leaves nothing behind, unless it is kept
/// to be continued.
public final class OutputFile: Sendable {
  /// The final path.
  public let path: String
  /// Where the bytes go until `commit`.
  public let temporaryPath: String
  private let overwrite: Bool
  /// True if the temporary file stays when it isn't committed.
  private let isKept: Bool
  private let descriptor: Int32
  private let state = Lock(State.open)
  /// Bytes written so far, counted to begin their way to disk in time.
  private let written = Atomic(0)
  /// After so many bytes the disk is set to work, so that `commit` has little left to wait for.
  private static let writeback = 16 << 20

  private enum State { case open, closed }

  /// Creates the temporary file. Throws `IOError`: EEXIST if `path` exists and `overwrite` is false.
  /// - Parameter size: bytes to reserve on disk at once, so that a full disk is noticed before the work.
  public init(_ path: String, size: Int? = nil, overwrite: Bool = false) throws {
    self.path = path
    self.overwrite = overwrite
    isKept = false
    if !overwrite, access(path, F_OK) == 0 { throw IOError("create", path: path, code: EEXIST) }
    temporaryPath = "\(path).partial-\(getpid())-\(UInt32.random(in: 0 ... .max))"
    let name = temporaryPath
    descriptor = retryingOnInterrupt { open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666) }
    guard descriptor >= 0 else { throw IOError("create", path: path, code: errno) }
    TemporaryFiles.shared.insert(temporaryPath)
    if let size { try reserve(size) }
  }

  /// Opens `temporaryPath` as an earlier process left it, or makes it; without a commit it stays, for another process
  /// to continue. No two processes have it at a time.
  /// Throws `IOError`: EEXIST if `path` exists and `overwrite` is false, EWOULDBLOCK if another process has the file.
  public init(_ path: String, keptAs temporaryPath: String, size: Int? = nil, overwrite: Bool) throws {
    self.path = path
    self.temporaryPath = temporaryPath
    self.overwrite = overwrite
    isKept = true
    if !overwrite, access(path, F_OK) == 0 { throw IOError("create", path: path, code: EEXIST) }
    descriptor = retryingOnInterrupt { open(temporaryPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o666) }
    guard descriptor >= 0 else { throw IOError("create", path: temporaryPath, code: errno) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let code = errno
      close(descriptor)
      throw IOError("lock", path: temporaryPath, code: code)
    }
    if let size { try reserve(size) }
  }

  private func reserve(_ size: Int) throws {
    guard size > 0 else { return }
    let code = bale_allocate(descriptor, Int64(size))
    if code != 0 && code != EOPNOTSUPP && code != ENOSYS {
      discard()
      throw IOError("reserve \(size) bytes for", path: path, code: code)
    }
  }

  deinit { discard() }

  /// Writes all of `buffer` at `offset`. Any thread may call it. Throws `IOError`.
  public func write(_ buffer: UnsafeRawBufferPointer, at offset: Int) throws {
    guard var source = buffer.baseAddress else { return }
    var offset = offset
    var left = buffer.count
    while left > 0 {
      let count = retryingOnInterrupt { pwrite(descriptor, source, left, off_t(offset)) }
      if count < 0 { throw IOError("write", path: path, code: errno) }
      if count == 0 { throw IOError("write", path: path, code: ENOSPC) }
      source += count
      offset += count
      left -= count
    }
    let (before, after) = written.wrappingAdd(buffer.count, ordering: .relaxed)
    if before / Self.writeback != after / Self.writeback { bale_start_writing(descriptor) }
  }

  public func write(_ bytes: [UInt8], at offset: Int) throws {
    try bytes.withUnsafeBytes { try write($0, at: offset) }
  }

  /// Reads back what was written. Throws `IOError`.
  public func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
    guard let target = buffer.baseAddress else { return }
    var done = 0
    while done < buffer.count {
      let count = retryingOnInterrupt {
        pread(descriptor, target + done, buffer.count - done, off_t(offset + done))
      }
      if count < 0 { throw IOError("read back", path: path, code: errno) }
      if count == 0 { throw IOError("read back", path: path, code: EIO) }
      done += count
    }
  }

  /// Makes what was written so far durable, under the temporary name. Throws `IOError`.
  public func flush() throws { try check(fdatasync(descriptor), "flush") }

  /// Sets the length. Throws `IOError`.
  public func truncate(to length: Int) throws { try check(ftruncate(descriptor, off_t(length)), "set the length of") }

  /// Copies a range of `source` to `offset` inside the kernel where it can, else through a buffer.
  public func copy(_ range: Range<Int>, of source: InputFile, to offset: Int) throws {
    var from = range.lowerBound
    var to = offset
    while from < range.upperBound {
      let count = bale_copy_range(
        source.rawDescriptor, Int64(from), descriptor, Int64(to), range.upperBound - from)
      if count < 0 && errno == EINTR { continue }
      if count <= 0 { return try copyThroughBuffer(from..<range.upperBound, of: source, to: to) }
      from += count
      to += count
    }
  }

  private func copyThroughBuffer(_ range: Range<Int>, of source: InputFile, to offset: Int) throws {
    let size = min(range.count, 256 << 10)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 64)
    defer { buffer.deallocate() }
    for start in stride(from: range.lowerBound, to: range.upperBound, by: size) {
      let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(size, range.upperBound - start)])
      try source.read(at: start, into: part)
      try write(UnsafeRawBufferPointer(part), at: offset + start - range.lowerBound)
    }
  }

  /// Sets the length, makes the bytes durable and gives the file its final name. Throws `IOError`; the temporary
  /// file is then gone and the final name holds what it held before; but where the directory of a file that was
  /// replaced can't be flushed, the new file stays.
  /// - Parameter finalPath: the name to take in place of `path`, in the same directory.
  public func commit(length: Int, as finalPath: String? = nil) throws {
    let path = finalPath ?? path
    do {
      try check(ftruncate(descriptor, off_t(length)), "set the length of")
      try check(fsync(descriptor), "flush")
      try check(
        state.withLock { state in
          state = .closed
          return close(descriptor)
        }, "close")
      let renamed = overwrite ? rename(temporaryPath, path) : bale_rename_new(temporaryPath, path)
      if renamed != 0 && !overwrite && errno == EINVAL {
        // A file system without RENAME_NOREPLACE.
        if access(path, F_OK) == 0 { throw IOError("create", path: path, code: EEXIST) }
        try check(rename(temporaryPath, path), "rename to")
      } else {
        try check(renamed, "rename to")
      }
    } catch {
      discard()
      if !isKept { unlink(temporaryPath) }
      throw error
    }
    TemporaryFiles.shared.remove(temporaryPath)
    do {
      try Path.flush(directory: Path.directory(of: path))
    } catch {
      if !overwrite { unlink(path) }
      throw error
    }
  }

  /// Closes the file, and removes the temporary one unless it is kept or was committed.
  public func discard() { end(removing: !isKept) }

  /// Removes the temporary file, even one that is kept, unless the file was committed.
  public func remove() { end(removing: true) }

  private func end(removing: Bool) {
    state.withLock { state in
      guard state == .open else { return }
      state = .closed
      if removing { unlink(temporaryPath) }
      close(descriptor)
      TemporaryFiles.shared.remove(temporaryPath)
    }
  }

  private func check(_ result: Int32, _ operation: String) throws {
    if result != 0 { throw IOError(operation, path: path, code: errno) }
  }
}

/// The temporary files and directories that exist now, so that a signal handler can remove them.
public final class TemporaryFiles: Sendable {
  public static let shared = TemporaryFiles()
  private let paths = Lock<Set<String>>([])

  func insert(_ path: String) { paths.withLock { _ = $0.insert(path) } }
  func remove(_ path: String) { paths.withLock { _ = $0.remove(path) } }

  /// Removes them all, on the way out of an interrupted process.
  public func removeAll() {
    paths.withLock { names in
      for name in names { Path.removeTree(name) }
      names.removeAll()
    }
  }
}
