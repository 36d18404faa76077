import ByteIO

/// How a file is cut in blocks, and where its parity file keeps what.
public struct ParityLayout: Sendable, Equatable {
  /// Bytes of the protected file.
  public let fileSize: Int
  /// Bytes of a block: a multiple of 128.
  public let blockSize: Int
  public let dataBlocks: Int
  public let parityBlocks: Int

  /// Data and parity blocks together: the elements of GF(2^16), each of which names one.
  public static let blockLimit = 65536
  /// The most bytes of a block.
  public static let blockSizeLimit = 1 << 30
  /// Data blocks that are aimed at: the work of making parity grows with their number.
  static let defaultBlocks = 4096
  static let smallestBlock = 4096

  /// Throws the reason why a file can't be cut so.
  /// - Parameters:
  ///   - percent: how many of 100 data blocks may be lost, above 0 and at most 100.
  ///   - blockSize: nil for one that makes about 4096 blocks.
  public init(fileSize: Int, percent: Double, blockSize: Int? = nil) throws(ParityReason) {
    let chosen = blockSize ?? Self.blockSize(for: fileSize)
    let data = fileSize.dividedRoundingUp(by: max(chosen, 1))
    let parity = min(max(percent, 0), 100) * Double(data) / 100
    try self.init(
      fileSize: fileSize, blockSize: chosen, dataBlocks: data, parityBlocks: Int(parity.rounded(.up)))
  }

  /// Throws the reason why these can't be the numbers of a parity file.
  init(fileSize: Int, blockSize: Int, dataBlocks: Int, parityBlocks: Int) throws(ParityReason) {
    guard fileSize >= 0, blockSize > 0, blockSize % Field16.groupBytes == 0, blockSize <= Self.blockSizeLimit else {
      throw .geometry("blocks of \(blockSize) bytes")
    }
    guard dataBlocks == fileSize.dividedRoundingUp(by: blockSize), parityBlocks >= 0 else {
      throw .geometry("\(dataBlocks) blocks of \(blockSize) bytes for a file of \(fileSize)")
    }
    guard let all = dataBlocks.adding(parityBlocks), all <= Self.blockLimit else {
      throw .blocks(count: dataBlocks + min(parityBlocks, Self.blockLimit), limit: Self.blockLimit)
    }
    self.fileSize = fileSize
    self.blockSize = blockSize
    self.dataBlocks = dataBlocks
    self.parityBlocks = parityBlocks
  }

  private static func blockSize(for fileSize: Int) -> Int {
    let pages = fileSize.dividedRoundingUp(by: defaultBlocks).dividedRoundingUp(by: smallestBlock)
    return max(pages, 1) * smallestBlock
  }

  /// Pages of one copy.
  var pages: Int { max(1, (dataBlocks + parityBlocks).dividedRoundingUp(by: ParityPage.rows)) }

  /// Where a page starts, in the first copy or the second.
  func offset(ofPage page: Int, copy: Int) -> Int {
    page * ParityPage.size + (copy == 0 ? 0 : offset(ofParity: parityBlocks))
  }

  func offset(ofParity block: Int) -> Int { pages * ParityPage.size + block * blockSize }

  /// Bytes of the parity file.
  public var paritySize: Int { offset(ofParity: parityBlocks) + pages * ParityPage.size }

  /// The bytes of the protected file that a block holds.
  public func range(ofData block: Int) -> Range<Int> {
    block * blockSize..<min((block + 1) * blockSize, fileSize)
  }
}
