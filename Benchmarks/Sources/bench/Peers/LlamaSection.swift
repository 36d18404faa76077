import ByteIO

/// `bale convert` beside llama.cpp's converter and `llama-quantize`, on the same input, with two threads each. What is
/// not installed is left out. The outputs are compared, and a tensor that differs ends the run.
struct LlamaSection {
  let options: Options
  private static let types: [(own: String, peer: String, goal: Double)] = [
    ("q8_0", "Q8_0", 2), ("q4_0", "Q4_0", 2), ("mxfp4", "MXFP4_MOE", 2), ("q4_k", "Q4_K", 5), ("q6_k", "Q6_K", 5),
  ]

  func run(_ report: inout Report) throws {
    guard options.llamaQuantize != nil || options.llamaConverter != nil else { return }
    try Path.createDirectory(options.directory)
    let directory = file("mixtral")
    defer { Path.removeTree(directory) }
    let model = try MixtralDirectory(at: directory, samples: options.samples)
    try convert(model, &report)
    if let quantizer = options.llamaQuantize { try quantize(model, quantizer, &report) }
  }

  private func convert(_ model: MixtralDirectory, _ report: inout Report) throws {
    let weights = Path.join(model.path, "model.safetensors")
    let own = file("own.gguf")
    var jobs = [
      Job(name: "cp", command: ["cp", weights, file("copy")], output: file("copy")),
      Job(
        name: "cp and sync", command: ["sh", "-c", "cp \"$0\" \"$1\" && sync \"$1\"", weights, file("copy")],
        output: file("copy"), against: "cp"),
    ]
    if let converter = options.llamaConverter {
      let command = [
        options.python, converter, model.path, "--outtype", "bf16", "--outfile", file("peer.gguf"),
      ]
      jobs.append(Job(name: "convert_hf_to_gguf.py", command: command, output: file("peer.gguf"), against: "cp"))
      jobs.append(bale(model.path, own, [], name: "bale, beside convert_hf_to_gguf.py", against: jobs[2].name, goal: 3))
    }
    jobs.append(bale(model.path, own, [], name: "bale, beside cp and sync", against: "cp and sync", goal: 0.7))
    report.title("A directory of \(model.size >> 20) MiB to BF16 GGUF, medians of \(options.rounds) rounds")
    try JobTurns(jobs: jobs, rounds: options.rounds).measure(bytes: model.size, &report) {
      guard options.llamaConverter != nil else { return nil }
      _ = try Child(["cmp", own, file("peer.gguf")])
      return "both files are the same, byte for byte"
    }
  }

  private func quantize(_ model: MixtralDirectory, _ quantizer: String, _ report: inout Report) throws {
    let source = file("source.gguf")
    defer { Path.remove(source) }
    _ = try Child([options.program, "convert", model.path, source, "--force", "--quiet"])
    let size = try InputFile(source).size
    report.title("BF16 GGUF of \(size >> 20) MiB quantized, two threads, medians of \(options.rounds) rounds")
    for type in Self.types {
      let own = file("own.gguf")
      let peer = file("peer.gguf")
      let name = "llama-quantize \(type.peer)"
      let jobs = [
        Job(name: name, command: [quantizer, "--pure", source, peer, type.peer, "2"], output: peer),
        bale(
          source, own, ["--quantize", type.own, "--pure"], name: "bale \(type.own)", against: name, goal: type.goal),
      ]
      try JobTurns(jobs: jobs, rounds: options.rounds).measure(bytes: size, &report) {
        "the bytes of all \(try SameTensors(own, peer).check()) tensors are the same"
      }
    }
  }

  private func bale(
    _ source: String, _ output: String, _ arguments: [String], name: String, against: String, goal: Double
  ) -> Job {
    let command = [options.program, "convert", source, output, "--threads", "2", "--quiet", "--force"]
    return Job(name: name, command: command + arguments, output: output, against: against, goal: goal)
  }

  private func file(_ name: String) -> String { Path.join(options.directory, name) }
}
