import Pipeline

/// An expert of a layer, both counted from 0.
public struct ExpertID: Sendable, Hashable {
  public var layer: Int
  public var expert: Int

  public init(layer: Int, expert: Int) {
    self.layer = layer
    self.expert = expert
  }
}

/// Experts kept in memory up to a number of bytes, the least recently used dropped first, with those that a router
/// names next read ahead by threads of the store's own. Safe to use from any thread.
public final class ExpertStore<Expert: Sendable>: Sendable {
  /// Reads an expert; says how many bytes it takes.
  public typealias Load = @Sendable (ExpertID) throws -> (expert: Expert, bytes: Int)

  private let shelf: Monitor<ExpertShelf<Expert>>
  private let load: Load

  /// - Parameters:
  ///   - capacity: bytes of experts kept; the one asked for last is kept whatever its size.
  ///   - threads: how many read ahead; 0 makes `prefetch` do nothing.
  public init(capacity: Int, threads: Int = 2, load: @escaping Load) {
    let shelf = Monitor(ExpertShelf<Expert>(capacity: capacity, prefetches: threads > 0))
    self.shelf = shelf
    self.load = load
    for _ in 0..<threads {
      Workers.detach { Self.readAhead(shelf, load) }
    }
  }

  deinit { shelf.withLock { $0.isClosed = true } }

  /// The expert: from memory, from a read under way, or read now. Throws what reading it threw.
  public func expert(_ id: ExpertID) throws -> Expert {
    let found = shelf.wait { $0.request(id) }
    if let found { return found }
    return try Self.fill(shelf, id, load)
  }

  /// Asks for experts to be read ahead, in this order. Those at hand or under way are skipped. What was asked for
  /// before and not yet begun is dropped: a router's newer word replaces its older one.
  public func prefetch(_ ids: [ExpertID]) {
    shelf.withLock { $0.replaceQueue(ids) }
  }

  /// What happened so far.
  public var statistics: ExpertStoreStatistics { shelf.withLock { $0.statistics } }

  private static func fill(_ shelf: Monitor<ExpertShelf<Expert>>, _ id: ExpertID, _ load: Load) throws -> Expert {
    do {
      let loaded = try load(id)
      shelf.withLock { $0.insert(id, loaded.expert, bytes: loaded.bytes) }
      return loaded.expert
    } catch {
      shelf.withLock { $0.abandon(id) }
      throw error
    }
  }

  /// A thread's life: takes what is queued until the store goes. An expert that can't be read is left for `expert`
  /// to read and to throw.
  private static func readAhead(_ shelf: Monitor<ExpertShelf<Expert>>, _ load: Load) {
    while true {
      let next = shelf.wait { shelf -> ExpertID?? in
        if shelf.isClosed { return .some(nil) }
        return shelf.nextQueued().map { .some($0) }
      }
      guard let id = next else { return }
      _ = try? fill(shelf, id, load)
    }
  }
}

/// Counts of a store.
public struct ExpertStoreStatistics: Sendable, Equatable {
  /// Requests served from memory.
  public var hits = 0
  /// Requests that read, or waited for a read under way.
  public var misses = 0
  /// Reads, ahead or not, and their bytes.
  public var reads = 0
  public var bytesRead = 0
  /// Experts dropped to make room.
  public var evictions = 0

  public init(hits: Int = 0, misses: Int = 0, reads: Int = 0, bytesRead: Int = 0, evictions: Int = 0) {
    self.hits = hits
    self.misses = misses
    self.reads = reads
    self.bytesRead = bytesRead
    self.evictions = evictions
  }
}
