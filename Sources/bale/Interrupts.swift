import ByteIO

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What happens when someone presses Ctrl-C.
enum Interrupts {
  /// Waits for SIGINT, SIGTERM and SIGHUP on a thread of its own, where locks may be taken, removes what is not yet
  /// complete, and ends the process by the same signal.
  static func removeTemporaryFilesOnSignal() {
    var signals = sigset_t()
    sigemptyset(&signals)
    for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
    guard pthread_sigmask(SIG_BLOCK, &signals, nil) == 0 else { return }
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { _ in
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
        var caught: Int32 = 0
        guard sigwait(&signals, &caught) == 0 else { return nil }
        TemporaryFiles.shared.removeAll()
        signal(caught, SIG_DFL)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        kill(getpid(), caught)
        return nil
      }, nil)
    pthread_detach(thread)
  }
}
