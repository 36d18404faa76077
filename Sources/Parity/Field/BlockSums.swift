import ByteIO
import Pipeline

/// Sums of blocks times factors, for a range of the blocks' bytes: each thread reads and sums columns of its own, so
/// that no thread waits for another.
struct BlockSums {
  /// Numbers of the blocks that are summed.
  let inputs: [Int]
  let outputs: Int
  /// Fills a buffer with bytes of a block, from a byte of it on.
  let read: @Sendable (_ block: Int, _ column: Int, _ buffer: UnsafeMutableRawBufferPointer) throws -> Void
  /// The factor of a block in an output.
  let factor: @Sendable (_ output: Int, _ block: Int) -> UInt16

  /// Blocks that are read before they are summed, and bytes of each that are summed at a time: together they stay in
  /// the second-level cache, and a tile of an output in the first.
  static let batch = 16
  private static let tile = 16 << 10

  /// The sums of the columns, a buffer for each output. `columns` are whole groups.
  /// - Parameter onProgress: gets bytes of blocks summed since the last call, from any thread.
  func run(
    columns: Range<Int>, threads: Int, onProgress: @escaping @Sendable (Int) -> Void
  ) throws -> [ByteBuffer] {
    let sums = (0..<outputs).map { _ in ByteBuffer(zeros: columns.count) }
    let groups = columns.count / Field16.groupBytes
    let threads = max(1, min(threads, groups))
    let failure = Monitor<(any Error)?>(nil)
    let work = self
    Workers.run(threads) { thread in
      let begin = groups * thread / threads * Field16.groupBytes
      let end = groups * (thread + 1) / threads * Field16.groupBytes
      do {
        try work.add(from: columns.lowerBound, begin..<end, to: sums, onProgress) { failure.withLock { $0 != nil } }
      } catch {
        failure.withLock { if $0 == nil { $0 = error } }
      }
    }
    try failure.withLock { if let error = $0 { throw error } }
    return sums
  }

  /// The part of one thread: `range` counts from `column`.
  private func add(
    from column: Int, _ range: Range<Int>, to sums: [ByteBuffer], _ onProgress: (Int) -> Void, isStopped: () -> Bool
  ) throws {
    let buffers = (0..<min(Self.batch, inputs.count)).map { _ in ByteBuffer(count: range.count) }
    for start in stride(from: 0, to: inputs.count, by: Self.batch) where !isStopped() {
      let blocks = Array(inputs[start..<min(start + Self.batch, inputs.count)])
      for (block, buffer) in zip(blocks, buffers) {
        try buffer.withMutableBytes { try read(block, column + range.lowerBound, $0) }
      }
      ByteBuffer.withMutableBytes(of: buffers) { sources in
        ByteBuffer.withMutableBytes(of: sums) { targets in
          sum(blocks, sources, targets.map { UnsafeMutableRawBufferPointer(rebasing: $0[range]) })
        }
      }
      onProgress(blocks.count * range.count)
    }
  }

  private func sum(
    _ blocks: [Int], _ sources: [UnsafeMutableRawBufferPointer], _ targets: [UnsafeMutableRawBufferPointer]
  ) {
    for start in stride(from: 0, to: targets.first?.count ?? 0, by: Self.tile) {
      for (output, target) in targets.enumerated() {
        let range = start..<min(start + Self.tile, target.count)
        let tile = UnsafeMutableRawBufferPointer(rebasing: target[range])
        for (block, source) in zip(blocks, sources) {
          Field16.add(
            UnsafeRawBufferPointer(rebasing: source[range]), times: factor(output, block), to: tile)
        }
      }
    }
  }
}
