import ByteIO

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Whole jobs of the command beside `cp` and `cat`, which take turns with them; medians, with the peak memory.
struct JobSection {
  let options: Options

  private struct Job {
    var name: String
    var command: [String]
    /// What the job makes: removed before and after.
    var output: String?
    /// The job it is compared with, and the least ratio asked for.
    var against: String?
    var goal: Double?
  }

  func run(_ report: inout Report) throws {
    try Path.createDirectory(options.directory)
    let source = file("model.safetensors")
    let archive = file("archive.bale")
    defer { for path in [source, archive] { Path.remove(path) } }
    let size = try Checkpoint.write(to: source, mebibytes: options.checkpointMiB)
    _ = try Child([options.program, "pack", source, archive, "--lossless", "--force"])
    let archived = try InputFile(archive).size
    report.title("Jobs on \(size >> 20) MiB of BF16, medians of \(options.rounds) rounds, all files cached")
    try measure(jobs(source, archive), bytes: size, &report)
    report.title("Reading an archive of \(archived >> 20) MiB")
    try measure(checks(archive), bytes: archived, &report)
  }

  private func jobs(_ source: String, _ archive: String) -> [Job] {
    let bale = options.program
    return [
      Job(name: "cp", command: ["cp", source, file("copy")], output: file("copy")),
      Job(
        name: "cp and sync", command: ["sh", "-c", "cp \"$0\" \"$1\" && sync \"$1\"", source, file("copy")],
        output: file("copy")),
      Job(
        name: "convert to GGUF", command: [bale, "convert", source, file("model.gguf")], output: file("model.gguf"),
        against: "cp and sync", goal: 0.7),
      Job(
        name: "pack mxfp4-experts", command: [bale, "pack", source, file("m.bale"), "--recipe", "mxfp4-experts"],
        output: file("m.bale"), against: "cp and sync"),
      Job(
        name: "pack lossless", command: [bale, "pack", source, file("l.bale"), "--lossless"], output: file("l.bale"),
        against: "cp and sync"),
      Job(
        name: "unpack lossless", command: [bale, "unpack", archive, file("restored")], output: file("restored"),
        against: "cp and sync"),
    ]
  }

  private func checks(_ archive: String) -> [Job] {
    [
      Job(name: "cat", command: ["cat", archive]),
      Job(name: "sha256sum", command: ["sha256sum", archive], against: "cat"),
      Job(name: "verify", command: [options.program, "verify", archive], against: "cat", goal: 1 / 1.3),
    ]
  }

  private func file(_ name: String) -> String { Path.join(options.directory, name) }

  private func measure(_ jobs: [Job], bytes: Int, _ report: inout Report) throws {
    var runs = [[Child]](repeating: [], count: jobs.count)
    for _ in 0..<options.rounds {
      for (index, job) in jobs.enumerated() {
        clear(job)
        sync()
        runs[index].append(try Child(job.command))
        clear(job)
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
  }

  private func clear(_ job: Job) {
    guard let output = job.output else { return }
    _ = try? Child(["rm", "-rf", output])
  }
}
