#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file open for reading at any offset, from any thread. Reads are `pread`, not a memory map: a file that shrinks
/// under a map kills the process, under a read it is an error.
public final class InputFile: Sendable {
  public let path: String
  /// Size in bytes when the file was opened.
  public let size: Int
  private let descriptor: Int32
  private let identity: Identity

  /// What must stay the same while a file is being read.
  private struct Identity: Equatable {
    var device: UInt64
    var inode: UInt64
    var size: Int
    var modifiedSeconds: Int
    var modifiedNanoseconds: Int

    init(_ status: stat) {
      device = UInt64(status.st_dev)
      inode = UInt64(status.st_ino)
      size = Int(status.st_size)
      modifiedSeconds = status.st_mtim.tv_sec
      modifiedNanoseconds = status.st_mtim.tv_nsec
    }
  }

  /// Opens a regular file. Throws `IOError`.
  public init(_ path: String) throws {
    self.path = path
    let descriptor = retryingOnInterrupt { open(path, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw IOError("open", path: path, code: errno) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw IOError("read the status of", path: path, code: code)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw IOError("open", path: path, code: status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL)
    }
    self.descriptor = descriptor
    self.identity = Identity(status)
    self.size = identity.size
  }

  deinit { close(descriptor) }

  /// Fills `buffer` from `offset`. Throws `IOError`, or `SourceChanged` if the file ends early.
  public func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
    guard var target = buffer.baseAddress else { return }
    var offset = offset
    var left = buffer.count
    while left > 0 {
      let count = retryingOnInterrupt { pread(descriptor, target, left, off_t(offset)) }
      if count < 0 { throw IOError("read", path: path, code: errno) }
      if count == 0 { throw SourceChanged(path: path, detail: "it ends at byte \(offset), \(left) bytes early") }
      target += count
      offset += count
      left -= count
    }
  }

  /// The bytes of a range. The range must lie in the file: the allocation is bounded by the file's size.
  public func bytes(_ range: Range<Int>) throws -> [UInt8] {
    guard range.lowerBound >= 0, range.upperBound <= size else {
      throw SourceChanged(path: path, detail: "bytes \(range) asked of a file of \(size)")
    }
    return try [UInt8](unsafeUninitializedCapacity: range.count) { buffer, count in
      try read(at: range.lowerBound, into: UnsafeMutableRawBufferPointer(buffer))
      count = range.count
    }
  }

  /// When the file was last written, as it was when it was opened: seconds and nanoseconds since 1970.
  public var modified: (seconds: Int, nanoseconds: Int) { (identity.modifiedSeconds, identity.modifiedNanoseconds) }

  /// Tells the kernel that the file will be read front to back.
  public func willReadSequentially() {
    _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
  }

  /// Throws `SourceChanged` if the file was written, shrunk or replaced since it was opened.
  public func checkUnchanged() throws {
    var now = stat()
    guard fstat(descriptor, &now) == 0, Identity(now) == identity else {
      throw SourceChanged(path: path, detail: "its size or time of modification is no longer what it was")
    }
    guard stat(path, &now) == 0, Identity(now) == identity else {
      throw SourceChanged(path: path, detail: "another file has taken its name")
    }
  }

  /// The descriptor, for `copy_file_range`.
  var rawDescriptor: Int32 { descriptor }
}

/// A source that was written, shrunk or replaced while it was being read.
public struct SourceChanged: Error, Equatable, CustomStringConvertible {
  public var path: String
  public var detail: String

  public init(path: String, detail: String) {
    self.path = path
    self.detail = detail
  }

  public var description: String { "\(path): changed while it was being read: \(detail)" }
}

/// Repeats a system call that a signal interrupted.
func retryingOnInterrupt<T: SignedInteger>(_ call: () -> T) -> T {
  while true {
    let result = call()
    if result != -1 || errno != EINTR { return result }
  }
}
