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

/// Seconds that a body takes.
func seconds(_ body: () throws -> Void) rethrows -> Double {
  let start = now()
  try body()
  return now() - start
}

/// Least seconds of several runs, after one that doesn't count.
func best(of runs: Int, _ body: () throws -> Void) rethrows -> Double {
  try body()
  return try (0..<max(1, runs)).map { _ in try seconds(body) }.min() ?? 0
}

/// Least seconds of two bodies that take turns, so that what disturbs one disturbs the other.
func best(of runs: Int, _ first: () throws -> Void, beside second: () throws -> Void) rethrows -> (Double, Double) {
  try first()
  try second()
  var least = (Double.infinity, Double.infinity)
  for _ in 0..<max(1, runs) {
    least.0 = min(least.0, try seconds(first))
    least.1 = min(least.1, try seconds(second))
  }
  return least
}

/// The middle one of several figures.
func median(_ values: [Double]) -> Double {
  values.isEmpty ? 0 : values.sorted()[values.count / 2]
}
