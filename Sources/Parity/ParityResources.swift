/// What a job of this target may use, and whom it tells how far it is.
public struct ParityResources: Sendable {
  public var threads: Int
  /// Bytes of buffers that may be in use at once; blocks are worked on in columns that fit.
  public var memory: Int
  /// Gets the bytes done and those there are in all, from any thread.
  public var onProgress: @Sendable (_ done: Int, _ total: Int) -> Void

  public init(
    threads: Int, memory: Int, onProgress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) {
    self.threads = threads
    self.memory = memory
    self.onProgress = onProgress
  }

  /// The columns of blocks that are worked on together, one range after the other.
  func columns(of blockSize: Int, outputs: Int) -> [Range<Int>] {
    let fitting = memory / max(1, outputs + BlockSums.batch) / Field16.groupBytes * Field16.groupBytes
    let width = min(blockSize, max(fitting, Field16.groupBytes))
    return stride(from: 0, to: blockSize, by: width).map { $0..<min($0 + width, blockSize) }
  }
}
