import Synchronization

/// Adds up what several threads have done.
final class ProgressCount: Sendable {
  private let done = Atomic(0)
  private let total: Int
  private let onProgress: @Sendable (Int, Int) -> Void

  init(total: Int, _ onProgress: @escaping @Sendable (Int, Int) -> Void) {
    self.total = total
    self.onProgress = onProgress
  }

  func add(_ bytes: Int) { onProgress(done.wrappingAdd(bytes, ordering: .relaxed).newValue, total) }
}
