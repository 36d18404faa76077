import ByteIO
import Pipeline

/// Writes a parity file beside a file of any format, which it only reads.
public struct ProtectJob: Sendable {
  private let input: InputFile
  public let layout: ParityLayout

  /// Opens the file. Throws `IOError`, and `ParityError` where it can't be cut so.
  /// - Parameters:
  ///   - percent: how many of 100 blocks may be lost, above 0 and at most 100.
  ///   - blockSize: a multiple of 128; nil for one that makes about 4096 blocks.
  public init(_ path: String, percent: Double, blockSize: Int? = nil) throws {
    input = try InputFile(path)
    do throws(ParityReason) {
      layout = try ParityLayout(fileSize: input.size, percent: percent, blockSize: blockSize)
    } catch {
      throw ParityError(error, file: path)
    }
  }

  /// The same for a file whose parity is to be made anew as it was.
  init(_ input: InputFile, layout: ParityLayout) {
    self.input = input
    self.layout = layout
  }

  /// Writes the parity file. Throws `IOError` and `SourceChanged`; nothing is then left at `path`.
  public func run(to path: String, overwrite: Bool, resources: ParityResources) throws {
    let output = try OutputFile(path, size: layout.paritySize, overwrite: overwrite)
    let progress = ProgressCount(total: 2 * layout.fileSize, resources.onProgress)
    let input = input
    let sha256 = Monitor<[UInt8]>([])
    let hashing = BackgroundWork {
      let digest = try SHA256.digest(of: input.size) { try input.read(at: $0, into: $1) }
      sha256.withLock { $0 = digest }
    }
    let digests: [UInt8]
    do {
      let data = try dataDigests(resources.threads, progress)
      try writeParity(to: output, resources, progress)
      digests = try data + parityDigests(of: output, resources.threads)
    } catch {
      _ = try? hashing.wait()
      throw error
    }
    try hashing.wait()
    try input.checkUnchanged()
    try writePages(to: output, sha256: sha256.withLock { $0 }, digests: digests)
    try output.commit(length: layout.paritySize)
  }

  private func dataDigests(_ threads: Int, _ progress: ProgressCount) throws -> [UInt8] {
    let (input, layout) = (input, layout)
    let scan = BlockScan(count: layout.dataBlocks, blockSize: layout.blockSize) { block, column, buffer in
      let range = layout.range(ofData: block)
      return try input.readPadded(at: range.lowerBound + column, before: range.upperBound, into: buffer)
    }
    return try scan.run(threads: threads) { block, found in
      progress.add(layout.range(ofData: block).count)
      return found.digest
    }.flatMap { $0 }
  }

  /// Sums parity in columns that fit the memory: the file is read once for all of them together.
  private func writeParity(to output: OutputFile, _ resources: ParityResources, _ progress: ProgressCount) throws {
    let (input, layout) = (input, layout)
    let matrix = CauchyMatrix()
    let sums = BlockSums(inputs: Array(0..<layout.dataBlocks), outputs: layout.parityBlocks) { block, column, buffer in
      let range = layout.range(ofData: block)
      try input.readPadded(at: range.lowerBound + column, before: range.upperBound, into: buffer)
    } factor: {
      matrix.factor(parity: $0, data: $1)
    }
    for columns in resources.columns(of: layout.blockSize, outputs: layout.parityBlocks) {
      let parity = try sums.run(columns: columns, threads: resources.threads) { progress.add($0) }
      for (block, buffer) in parity.enumerated() {
        try buffer.withBytes { try output.write($0, at: layout.offset(ofParity: block) + columns.lowerBound) }
      }
    }
  }

  private func parityDigests(of output: OutputFile, _ threads: Int) throws -> [UInt8] {
    let layout = layout
    let scan = BlockScan(count: layout.parityBlocks, blockSize: layout.blockSize) { block, column, buffer in
      try output.read(at: layout.offset(ofParity: block) + column, into: buffer)
      return true
    }
    return try scan.run(threads: threads) { $1.digest }.flatMap { $0 }
  }

  private func writePages(to output: OutputFile, sha256: [UInt8], digests: [UInt8]) throws {
    let pageBytes = ParityPage.rows * ParityPage.digestBytes
    for number in 0..<layout.pages {
      let range = number * pageBytes..<min((number + 1) * pageBytes, digests.count)
      let page = ParityPage(number: number, layout: layout, sha256: sha256, digests: Array(digests[range]))
      for copy in 0...1 { try output.write(page.encoded, at: layout.offset(ofPage: number, copy: copy)) }
    }
  }
}

extension SHA256 {
  /// The digest of `size` bytes that are read in pieces.
  static func digest(
    of size: Int, read: (_ offset: Int, UnsafeMutableRawBufferPointer) throws -> Void
  ) throws -> [UInt8] {
    let hash = SHA256()
    let buffer = ByteBuffer(count: 256 << 10)
    for start in stride(from: 0, to: size, by: buffer.count) {
      try buffer.withMutableBytes { bytes in
        let part = UnsafeMutableRawBufferPointer(rebasing: bytes[..<min(bytes.count, size - start)])
        try read(start, part)
        hash.update(UnsafeRawBufferPointer(part))
      }
    }
    return hash.finish()
  }
}
