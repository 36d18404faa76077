import ByteIO
import Pipeline

/// Makes a damaged file whole again by its parity file. What is there is never written to: the restored file takes
/// its name when it is complete and has the SHA-256 that the file had when it was protected.
public struct RepairJob: Sendable {
  private let input: InputFile
  private let parity: ParityFile
  private let states: [BlockState]
  private let resources: ParityResources
  /// What was found.
  public let plan: RepairPlan

  /// Reads both files and finds what is damaged. Throws `IOError`, `SourceChanged` and `ParityError`.
  public init(_ path: String, parity parityPath: String, resources: ParityResources) throws {
    input = try InputFile(path)
    parity = try ParityFile(parityPath, threads: resources.threads)
    let total = parity.layout.fileSize
    let progress = ProgressCount(total: total, resources.onProgress)
    states = try parity.states(of: input, threads: resources.threads) { progress.add($0) }
    plan = RepairPlan(states, size: input.size, parity: parity)
    self.resources = resources
  }

  /// Throws `ParityError` if a file whose blocks are all whole doesn't have the SHA-256 that was stored.
  public func confirmIntact() throws {
    let input = input
    let digest = try SHA256.digest(of: input.size) { try input.read(at: $0, into: $1) }
    guard digest == parity.sha256 else { throw ParityError(.restoredDigest, file: input.path) }
  }

  /// Writes the whole file. The plan must say that it can be restored.
  /// - Parameter path: the file to write, which may be the damaged one. Throws the errors of reading and writing, and
  ///   `ParityError` if the result isn't the file that was protected; the damaged file is then as it was.
  public func run(to path: String, overwrite: Bool) throws {
    let layout = parity.layout
    let output = try OutputFile(path, size: layout.fileSize, overwrite: overwrite)
    for (block, state) in states.enumerated() where state == .whole {
      try output.copy(layout.range(ofData: block), of: input, to: layout.range(ofData: block).lowerBound)
    }
    try restoreBlocks(to: output)
    let digest = try SHA256.digest(of: layout.fileSize) { try output.read(at: $0, into: $1) }
    guard digest == parity.sha256 else { throw ParityError(.restoredDigest, file: input.path) }
    try input.checkUnchanged()
    try parity.checkUnchanged()
    try output.commit(length: layout.fileSize)
  }

  /// Makes a damaged parity file anew from a file that is whole again.
  public func renewParity(from path: String) throws {
    try ProtectJob(InputFile(path), layout: parity.layout).run(to: parity.path, overwrite: true, resources: resources)
  }

  /// Parity less what the whole blocks put into it is what the lost blocks put into it: as many equations as blocks.
  private func restoreBlocks(to output: OutputFile) throws {
    let layout = parity.layout
    let lost = states.indices.filter { states[$0] != .whole }
    guard !lost.isEmpty else { return }
    let used = Array(parity.wholeParity.prefix(lost.count))
    let remainders = sums(of: states.indices.filter { states[$0] == .whole }, in: used)
    let inverse = CauchyMatrix().inverse(parity: used, data: lost)
    // Two sets of sums are held at a time.
    for columns in resources.columns(of: layout.blockSize, outputs: 2 * lost.count) {
      let held = try remainders.run(columns: columns, threads: resources.threads) { _ in }
      let solution = BlockSums(inputs: Array(used.indices), outputs: lost.count) { block, column, buffer in
        held[block].withBytes { bytes in
          let start = column - columns.lowerBound
          buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[start..<start + buffer.count]))
        }
      } factor: {
        inverse.factor(data: $0, parity: $1)
      }
      for (block, buffer) in zip(lost, try solution.run(columns: columns, threads: resources.threads) { _ in }) {
        try write(buffer, of: layout.range(ofData: block), column: columns.lowerBound, to: output)
      }
    }
  }

  /// Sums over whole data blocks, each plus the parity block itself: numbers from `dataBlocks` on are parity.
  private func sums(of whole: [Int], in used: [Int]) -> BlockSums {
    let (input, parity, layout) = (input, parity, parity.layout)
    let matrix = CauchyMatrix()
    return BlockSums(inputs: whole + used.map { layout.dataBlocks + $0 }, outputs: used.count) {
      block, column, buffer in
      if block >= layout.dataBlocks {
        return try parity.read(parity: block - layout.dataBlocks, column: column, into: buffer)
      }
      let range = layout.range(ofData: block)
      try input.readPadded(at: range.lowerBound + column, before: range.upperBound, into: buffer)
    } factor: { output, block in
      if block < layout.dataBlocks { return matrix.factor(parity: used[output], data: block) }
      return used[output] == block - layout.dataBlocks ? 1 : 0
    }
  }

  private func write(_ buffer: ByteBuffer, of range: Range<Int>, column: Int, to output: OutputFile) throws {
    let count = min(buffer.count, range.count - column)
    guard count > 0 else { return }
    try buffer.withBytes {
      try output.write(UnsafeRawBufferPointer(rebasing: $0[..<count]), at: range.lowerBound + column)
    }
  }
}
