#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A command to measure.
struct Job {
  var name: String
  var command: [String]
  /// What the job makes: removed before and after.
  var output: String?
  /// The job it is compared with, and the least ratio asked for.
  var against: String?
  var goal: Double?
}

/// Jobs that take turns for some rounds, so that what disturbs one disturbs the others; the figures are medians.
struct JobTurns {
  let jobs: [Job]
  let rounds: Int

  /// Runs them all and reports their rates on `bytes`. `check` sees the outputs of the last round, and says what holds.
  func measure(bytes: Int, _ report: inout Report, check: () throws -> String? = { nil }) throws {
    var runs = [[Child]](repeating: [], count: jobs.count)
    defer { jobs.forEach(clear) }
    for _ in 0..<rounds {
      for (index, job) in jobs.enumerated() {
        clear(job)
        sync()
        runs[index].append(try Child(job.command))
      }
    }
    let times = runs.map { median($0.map(\.seconds)) }
    for (index, job) in jobs.enumerated() {
      let base = jobs.firstIndex { $0.name == job.against }.map { times[$0] }
      report.add(
        Measurement(
          name: job.name, value: Double(bytes) / times[index] / 1e9, unit: "GB/s",
          ratio: base.map { $0 / times[index] },
          against: job.against ?? "", goal: job.goal,
          processorSeconds: median(runs[index].map(\.processorSeconds)), peakMiB: runs[index].map(\.peakMiB).max()))
    }
    if let finding = try check() { report.note("  \(finding)") }
  }

  private func clear(_ job: Job) {
    guard let output = job.output else { return }
    _ = try? Child(["rm", "-rf", output])
  }
}
