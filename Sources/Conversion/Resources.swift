/// What a job may use.
public struct Resources: Sendable {
  public var threads: Int
  /// Bytes of buffers that may be in use at once.
  public var memory: Int

  public init(threads: Int, memory: Int) {
    self.threads = threads
    self.memory = memory
  }

  /// How many items of this many bytes may be under way at once: a few a thread, and no more than fit.
  public func window(itemBytes: Int) -> Int {
    max(1, min(threads * 4, memory / max(itemBytes, 1)))
  }
}

/// How far a job is.
public struct Progress: Sendable {
  public var bytesDone: Int
  public var bytesTotal: Int

  public init(bytesDone: Int, bytesTotal: Int) {
    self.bytesDone = bytesDone
    self.bytesTotal = bytesTotal
  }
}

/// Called from any thread as a job goes on.
public typealias ProgressHandler = @Sendable (Progress) -> Void
