#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Threads that run one piece of work each. Threads, not tasks: the work blocks in reads and
/// writes, which would hold the threads of Swift's cooperative pool.
public enum Workers {
  /// The number of processors this process may use.
  public static var processors: Int {
    max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
  }

  /// Runs `work(0)` ... `work(count - 1)`, each on a thread of its own (the last on the calling one), and returns
  /// when all are done. A thread that can't be made is done without: its work runs on the calling thread.
  public static func run(_ count: Int, _ work: @escaping @Sendable (Int) -> Void) {
    var threads: [pthread_t] = []
    for index in 0..<max(0, count - 1) {
      if let thread = start({ work(index) }) { threads.append(thread) } else { work(index) }
    }
    if count > 0 { work(count - 1) }
    for thread in threads { pthread_join(thread, nil) }
  }

  /// Runs `work` for every number below `count`, in turn among up to `threads` threads, and returns when all is done.
  public static func spread(_ count: Int, threads: Int, _ work: @escaping @Sendable (Int) -> Void) {
    let threads = max(1, min(threads, count))
    run(threads) { thread in
      for index in stride(from: thread, to: count, by: threads) { work(index) }
    }
  }

  /// Runs `body` on a thread of its own that nobody waits for. False if none can be made: `body` isn't run then.
  @discardableResult
  public static func detach(_ body: @escaping @Sendable () -> Void) -> Bool {
    guard let thread = start(body) else { return false }
    pthread_detach(thread)
    return true
  }

  private final class Job {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  private static func start(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
    let job = Unmanaged.passRetained(Job(body))
    var thread = pthread_t()
    let result = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
      }, job.toOpaque())
    if result == 0 { return thread }
    job.release()
    return nil
  }
}
