import Pipeline

/// The memory of large buffers that nobody uses, kept for the next ones of their size: work in pieces asks for the same
/// few sizes over and over, and the system's zeroed pages cost more than most of what is done with them.
enum BufferPool {
  /// Bytes from which on memory is kept.
  private static let least = 128 << 10
  /// Sizes are multiples of this.
  private static let step = 64 << 10
  /// Bytes that are kept at most.
  private static let limit = 16 << 20

  private struct Shelves {
    var free: [Int: [UnsafeMutableRawBufferPointer]] = [:]
    var bytes = 0

    mutating func clear() {
      for shelf in free.values { shelf.forEach { $0.deallocate() } }
      self = Shelves()
    }
  }

  private static let shelves = Lock(Shelves())

  /// Room for at least `count` bytes, whatever they are.
  static func take(_ count: Int) -> UnsafeMutableRawBufferPointer {
    guard count >= least, let size = count.roundedUp(to: step) else {
      return .allocate(byteCount: count, alignment: 128)
    }
    let kept: UnsafeMutableRawBufferPointer? = shelves.withLock { shelves in
      guard let room = shelves.free[size]?.popLast() else { return nil }
      shelves.bytes -= size
      return room
    }
    return kept ?? .allocate(byteCount: size, alignment: 128)
  }

  /// Takes back what `take` gave. Where too much would be kept, what was there before goes.
  static func giveBack(_ room: UnsafeMutableRawBufferPointer) {
    guard room.count >= least, room.count <= limit / 2 else { return room.deallocate() }
    shelves.withLock { shelves in
      if shelves.bytes + room.count > limit { shelves.clear() }
      shelves.free[room.count, default: []].append(room)
      shelves.bytes += room.count
    }
  }
}
