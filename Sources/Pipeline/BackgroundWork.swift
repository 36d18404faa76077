/// Work on a thread of its own, waited for later.
public final class BackgroundWork: Sendable {
  private enum State {
    case running
    case finished((any Error)?)
  }

  private let monitor = Monitor(State.running)

  /// Starts the work; where no thread can be made, does it at once.
  public init(_ body: @escaping @Sendable () throws -> Void) {
    let monitor = monitor
    let work: @Sendable () -> Void = {
      do {
        try body()
        monitor.withLock { $0 = .finished(nil) }
      } catch {
        monitor.withLock { $0 = .finished(error) }
      }
    }
    if !Workers.detach(work) { work() }
  }

  /// Waits for the end of the work. Throws its error.
  public func wait() throws {
    let error: (any Error)? = monitor.wait { state -> (any Error)?? in
      if case .finished(let error) = state { return .some(error) }
      return nil
    }
    if let error { throw error }
  }
}
