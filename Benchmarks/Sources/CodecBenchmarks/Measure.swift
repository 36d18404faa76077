#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Seconds on the monotonic clock.
func now() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}

/// One line of the report.
struct Measurement {
  var name: String
  /// What the rate counts: bytes written by a decoder, bytes of BF16 read by an encoder.
  var unit: String
  var gigabytesPerSecond: Double
}

/// Best rate of several runs of a body that moves `bytes`.
func best(of runs: Int, bytes: Int, _ body: () throws -> Void) rethrows -> Double {
  try body()
  var least = Double.infinity
  for _ in 0..<runs {
    let start = now()
    try body()
    least = min(least, now() - start)
  }
  return Double(bytes) / least / 1e9
}
