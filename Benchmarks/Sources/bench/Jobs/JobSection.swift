import ByteIO

/// Whole jobs of the command beside `cp` and `cat`, which take turns with them; medians, with the peak memory.
struct JobSection {
  let options: Options

  func run(_ report: inout Report) throws {
    try Path.createDirectory(options.directory)
    let source = file("model.safetensors")
    let archive = file("archive.bale")
    defer { for path in [source, archive] { Path.remove(path) } }
    let size = try Checkpoint.write(to: source, mebibytes: options.checkpointMiB)
    _ = try Child([options.program, "pack", source, archive, "--lossless", "--force"])
    let archived = try InputFile(archive).size
    report.title("Jobs on \(size >> 20) MiB of BF16, medians of \(options.rounds) rounds, all files cached")
    try JobTurns(jobs: jobs(source, archive), rounds: options.rounds).measure(bytes: size, &report)
    report.title("Reading an archive of \(archived >> 20) MiB")
    try JobTurns(jobs: checks(archive), rounds: options.rounds).measure(bytes: archived, &report)
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
}
