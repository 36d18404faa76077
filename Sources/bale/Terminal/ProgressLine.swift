import Conversion
import Pipeline

/// A line on the terminal that says how far a job is: bytes, rate, time left. Nothing where standard error is piped.
final class ProgressLine: Sendable {
  private let title: String
  private let start = ContinuousClock.now
  private let state = Lock(State())
  private let enabled: Bool

  private struct State {
    var lastDrawn: ContinuousClock.Instant?
    var drawn = false
  }

  init(_ title: String, options: GlobalOptions) {
    self.title = title
    enabled = Terminal.isInteractive && !options.quiet
  }

  /// Redraws the line, at most ten times a second.
  func update(_ progress: Progress) {
    guard enabled else { return }
    state.withLock { state in
      let now = ContinuousClock.now
      if let last = state.lastDrawn, now - last < .milliseconds(100) { return }
      state.lastDrawn = now
      state.drawn = true
      Terminal.write("\r\u{1B}[K" + text(progress, seconds: seconds(since: start, until: now)))
    }
  }

  /// Takes the line away.
  func finish() {
    state.withLock { state in
      if state.drawn { Terminal.write("\r\u{1B}[K") }
      state.drawn = false
    }
  }

  private func text(_ progress: Progress, seconds: Double) -> String {
    let rate = seconds > 0 ? Double(progress.bytesDone) / seconds : 0
    var text = "\(title)  \(Format.bytes(progress.bytesDone)) of \(Format.bytes(progress.bytesTotal))"
    text += "  \(Format.bytes(Int(rate)))/s"
    if rate > 0, progress.bytesTotal > progress.bytesDone {
      text += "  \(Format.duration(Double(progress.bytesTotal - progress.bytesDone) / rate)) left"
    }
    return String(text.prefix(Terminal.width - 1))
  }
}

/// Seconds between two instants.
func seconds(since start: ContinuousClock.Instant, until end: ContinuousClock.Instant = .now) -> Double {
  let (seconds, attoseconds) = (end - start).components
  return Double(seconds) + Double(attoseconds) * 1e-18
}
