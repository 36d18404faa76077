import Synchronization

/// Large blocks of memory that are used again by the next piece of work: the first touch of each of their pages costs
/// as much as decoding into it. Small blocks, and what goes beyond a bound, come from the heap and go back to it.
enum BufferPool {
  /// Bytes of the blocks that are kept.
  private static let sizes = 1 << 17...1 << 23
  /// Bytes that are kept at most.
  private static let capacity = 1 << 24
  private static let alignment = 128

  fileprivate struct Shelf {
    var blocks: [Int: [UInt]] = [:]
    var bytes = 0
  }

  // Blocks by their size, as addresses.
  private static let shelf = Mutex(Shelf())

  /// A block of at least so many bytes, whose content is whatever it was.
  static func take(_ count: Int) -> UnsafeMutableRawBufferPointer {
    let size = size(count)
    let kept = sizes.contains(size) ? shelf.withLock { $0.take(size) } : nil
    if let kept, let start = UnsafeMutableRawPointer(bitPattern: kept) {
      return UnsafeMutableRawBufferPointer(start: start, count: count)
    }
    let block = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: alignment)
    return UnsafeMutableRawBufferPointer(start: block.baseAddress, count: count)
  }

  /// Takes a block back that `take` gave.
  static func give(_ block: UnsafeMutableRawBufferPointer) {
    guard let start = block.baseAddress else { return }
    let size = size(block.count)
    guard sizes.contains(size) else { return start.deallocate() }
    let evicted = shelf.withLock { $0.keep(UInt(bitPattern: start), size, atMost: capacity) }
    for block in evicted { UnsafeMutableRawPointer(bitPattern: block)?.deallocate() }
  }

  /// Bytes of the block for so many: large ones are multiples of 16 KiB, so that pieces of about a size share them.
  private static func size(_ count: Int) -> Int {
    sizes.contains(count) ? (count + 0x3FFF) & ~0x3FFF : count
  }
}

extension BufferPool.Shelf {
  fileprivate mutating func take(_ size: Int) -> UInt? {
    guard let block = blocks[size]?.popLast() else { return nil }
    bytes -= size
    return block
  }

  /// Where there is no room left, all that was kept makes way: its sizes are no longer asked for.
  /// - Returns: the blocks that are to be freed.
  fileprivate mutating func keep(_ block: UInt, _ size: Int, atMost capacity: Int) -> [UInt] {
    var evicted: [UInt] = []
    if bytes + size > capacity {
      evicted = blocks.values.flatMap { $0 }
      (blocks, bytes) = ([:], 0)
    }
    blocks[size, default: []].append(block)
    bytes += size
    return evicted
  }
}
