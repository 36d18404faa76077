import ByteIO

/// A parity file: what it says of the file it protects, and what of itself is damaged.
public struct ParityFile: Sendable {
  public let path: String
  public let layout: ParityLayout
  /// SHA-256 of the protected file.
  public let sha256: [UInt8]
  /// Byte ranges of this file that aren't what was written, in order.
  public let damage: [Range<Int>]
  /// Numbers of the parity blocks that are whole.
  public let wholeParity: [Int]
  private let digests: [UInt8]
  private let input: InputFile

  /// Where the parity of a file is kept unless said otherwise.
  public static func path(for file: String) -> String { file + ".parity" }

  /// Reads the index, each page from a copy that is whole, and checks every parity block.
  /// Throws `ParityError`, `IOError` or `SourceChanged`.
  public init(_ path: String, threads: Int) throws {
    let input = try InputFile(path)
    let index = try ParityIndex(input)
    let layout = index.first.layout
    self.path = path
    self.input = input
    self.layout = layout
    sha256 = index.first.sha256
    digests = index.digests
    let scan = BlockScan(count: layout.parityBlocks, blockSize: layout.blockSize) { block, column, buffer in
      let offset = layout.offset(ofParity: block)
      return try input.readPadded(at: offset + column, before: offset + layout.blockSize, into: buffer)
    }
    let parityDigests = Array(digests[(layout.dataBlocks * ParityPage.digestBytes)...])
    let states = try scan.run(threads: threads) { BlockState($1, digest: Self.digest($0, of: parityDigests)) }
    wholeParity = states.indices.filter { states[$0] == .whole }
    var damage = index.damage
    for block in states.indices where states[block] != .whole {
      damage.append(layout.offset(ofParity: block)..<layout.offset(ofParity: block + 1))
    }
    if input.size > layout.paritySize { damage.append(layout.paritySize..<input.size) }
    self.damage = damage.sorted { $0.lowerBound < $1.lowerBound }
  }

  /// What became of each block of the protected file. A file that is longer has all its blocks.
  public func states(of file: InputFile, threads: Int, onProgress: @escaping @Sendable (Int) -> Void)
    throws -> [BlockState]
  {
    let (layout, digests) = (layout, digests)
    let scan = BlockScan(count: layout.dataBlocks, blockSize: layout.blockSize) { block, column, buffer in
      let range = layout.range(ofData: block)
      return try file.readPadded(at: range.lowerBound + column, before: range.upperBound, into: buffer)
    }
    return try scan.run(threads: threads) { block, found in
      onProgress(layout.range(ofData: block).count)
      return BlockState(found, digest: Self.digest(block, of: digests))
    }
  }

  /// Reads bytes of a parity block, which must be there.
  func read(parity block: Int, column: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
    try input.read(at: layout.offset(ofParity: block) + column, into: buffer)
  }

  func checkUnchanged() throws { try input.checkUnchanged() }

  private static func digest(_ block: Int, of digests: [UInt8]) -> ArraySlice<UInt8> {
    digests[block * ParityPage.digestBytes..<(block + 1) * ParityPage.digestBytes]
  }
}

extension BlockState {
  /// What became of a block that should have a digest.
  init(_ found: ScannedBlock, digest: ArraySlice<UInt8>) {
    let isWhole = found.isThere && digest.elementsEqual(found.digest)
    self = isWhole ? .whole : !found.isThere ? .missing : found.isZero ? .zeroed : .changed
  }
}
