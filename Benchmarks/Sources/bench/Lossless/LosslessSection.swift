import ByteIO
import Tensors

/// Lossless planes of floats beside zipnn on the same bytes, at one thread and at two. What is not installed is left
/// out. Nothing is digested and nothing is written: coding alone.
struct LosslessSection {
  let options: Options
  private static let goals = (compress: 3.0, decompress: 2.0)

  func run(_ report: inout Report) throws {
    try Path.createDirectory(options.directory)
    for (name, data) in try LosslessData.all(model: options.losslessModel) {
      report.title("\(name), \(data.bytes.count >> 20) MiB: GB/s of the source")
      let file = Path.join(options.directory, "lossless.raw")
      defer { Path.remove(file) }
      if options.zipnn != nil {
        let output = try OutputFile(file, overwrite: true)
        try output.write(UnsafeRawBufferPointer(data.bytes), at: 0)
        try output.commit(length: data.bytes.count)
      }
      for threads in [1, 2] { try measure(data, file, threads, &report) }
    }
  }

  private func measure(_ data: LosslessData, _ file: String, _ threads: Int, _ report: inout Report) throws {
    let own = try LosslessRun(data, threads: threads).measure(runs: min(options.runs, 5))
    let peer = try options.zipnn.map {
      try ZipNN(python: $0, directory: options.directory).measure(file, data.dtype, threads, runs: min(options.runs, 5))
    }
    let rows = [
      ("ratio", own.ratio, peer?.ratio, 1.0), ("compress", own.compress, peer?.compress, Self.goals.compress),
      ("decompress", own.decompress, peer?.decompress, Self.goals.decompress),
    ]
    for (name, value, other, goal) in rows {
      var row = Measurement(name: "\(name) x \(threads)", value: value, unit: name == "ratio" ? "" : "GB/s")
      if let other {
        row.ratio = value / other
        row.against = "zipnn"
        row.goal = goal
      }
      report.add(row)
    }
  }
}

/// What a coder reached: bytes before over bytes after, and GB of source a second.
struct LosslessRates {
  var ratio: Double
  var compress: Double
  var decompress: Double
}
