/// The state of a store, under its lock.
struct ExpertShelf<Expert: Sendable>: Sendable {
  let capacity: Int
  let prefetches: Bool
  var isClosed = false
  private(set) var statistics = ExpertStoreStatistics()
  private var entries: [ExpertID: Entry] = [:]
  private var loading: Set<ExpertID> = []
  private var waiting: Set<ExpertID> = []
  private var queue: [ExpertID] = []
  private var bytes = 0
  private var clock = 0

  private struct Entry: Sendable {
    var expert: Expert
    var bytes: Int
    var used: Int
  }

  init(capacity: Int, prefetches: Bool) {
    self.capacity = capacity
    self.prefetches = prefetches
  }

  /// The expert; `.some(nil)` if the caller is to read it; nil while another reads it.
  mutating func request(_ id: ExpertID) -> Expert?? {
    if let entry = entries[id] {
      clock += 1
      entries[id]?.used = clock
      if waiting.remove(id) == nil { statistics.hits += 1 } else { statistics.misses += 1 }
      return .some(entry.expert)
    }
    if loading.contains(id) {
      waiting.insert(id)
      return nil
    }
    waiting.remove(id)
    statistics.misses += 1
    queue.removeAll { $0 == id }
    loading.insert(id)
    return .some(nil)
  }

  mutating func replaceQueue(_ ids: [ExpertID]) {
    guard prefetches else { return }
    queue = ids.filter { entries[$0] == nil && !loading.contains($0) }
  }

  /// The next expert to read ahead, which counts as under way from now on.
  mutating func nextQueued() -> ExpertID? {
    guard !queue.isEmpty else { return nil }
    let id = queue.removeFirst()
    loading.insert(id)
    return id
  }

  mutating func insert(_ id: ExpertID, _ expert: Expert, bytes size: Int) {
    loading.remove(id)
    clock += 1
    statistics.reads += 1
    statistics.bytesRead += size
    entries[id] = Entry(expert: expert, bytes: size, used: clock)
    bytes += size
    while bytes > capacity, let oldest = entries.filter({ $0.key != id }).min(by: { $0.value.used < $1.value.used }) {
      entries[oldest.key] = nil
      bytes -= oldest.value.bytes
      statistics.evictions += 1
    }
  }

  mutating func abandon(_ id: ExpertID) { loading.remove(id) }
}
