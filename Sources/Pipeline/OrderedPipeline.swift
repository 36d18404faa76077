/// Work that is made in parallel and taken in order: items 0, 1, 2, ... are produced by several threads, and
/// consumed one at a time in that order, so that what is consumed never depends on the number of threads.
public enum OrderedPipeline {
  private struct State<Product> {
    var next = 0
    var nextToConsume = 0
    var consuming = false
    var finished: [Int: Product] = [:]
    var error: (any Error)?
  }

  private enum Step<Product> {
    case produce(Int)
    case consume(Int, Product)
    case stop
  }

  /// Runs all items.
  /// - Parameters:
  ///   - count: how many items there are.
  ///   - threads: how many threads produce; one of them at a time also consumes.
  ///   - window: how many items may be produced and not yet consumed; bounds the memory.
  ///   - produce: makes item `i`; called from any thread.
  ///   - consume: takes item `i`; never called twice at a time, always in order.
  /// The first error of either ends the run and is thrown.
  public static func run<Product: Sendable>(
    count: Int, threads: Int, window: Int,
    produce: @escaping @Sendable (Int) throws -> Product,
    consume: @escaping @Sendable (Int, Product) throws -> Void
  ) throws {
    let monitor = Monitor(State<Product>())
    let window = max(window, 1)
    Workers.run(max(1, min(threads, count))) { _ in
      while true {
        let step = monitor.wait { nextStep(&$0, count: count, window: window) }
        do {
          switch step {
          case .stop: return
          case .produce(let index):
            let product = try produce(index)
            monitor.withLock { $0.finished[index] = product }
          case .consume(let index, let product):
            try consume(index, product)
            monitor.withLock {
              $0.consuming = false
              $0.nextToConsume += 1
            }
          }
        } catch {
          monitor.withLock { if $0.error == nil { $0.error = error } }
          return
        }
      }
    }
    try monitor.withLock { if let error = $0.error { throw error } }
  }

  /// What a free thread does next: consuming goes before producing, so that memory is freed first. Nil: wait.
  private static func nextStep<Product>(
    _ state: inout State<Product>, count: Int, window: Int
  ) -> Step<Product>? {
    if state.error != nil || state.nextToConsume == count { return .stop }
    if !state.consuming, let product = state.finished.removeValue(forKey: state.nextToConsume) {
      state.consuming = true
      return .consume(state.nextToConsume, product)
    }
    if state.next < count && state.next < state.nextToConsume + window {
      defer { state.next += 1 }
      return .produce(state.next)
    }
    return nil
  }
}
