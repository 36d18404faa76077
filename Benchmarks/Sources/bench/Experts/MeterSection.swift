import Experts

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The meter on one layer of experts shaped as DeepSeek-V3's, made as they are read: time, memory, and how both grow with
/// the number of experts.
struct MeterSection {
  let options: Options

  func run(_ report: inout Report) throws {
    report.title("The meter on a layer of N x 3 x 2048 x 7168 weights, made as they are read")
    try measure([32, 64, 128, 256], align: false, &report)
    report.title("The same, neurons aligned first")
    try measure([16, 32, 64], align: true, &report)
  }

  private func measure(_ counts: [Int], align: Bool, _ report: inout Report) throws {
    var before = 0.0
    for count in counts {
      let source = MadeExperts(count: count)
      let time = try seconds {
        let layer = try ExpertMeter().measure(source, layer: 0, align: align)
        guard layer.matrices.allSatisfy({ abs($0.before.meanCorrelation - 0.5) < 0.05 }) else { return }
      }
      var row = Measurement(name: "\(count) experts", value: time, unit: "s")
      if before > 0 {
        row.ratio = time / before
        row.against = "half as many"
      }
      var usage = rusage()
      getrusage(RUSAGE_SELF.rawValue, &usage)
      row.peakMiB = usage.ru_maxrss / 1024
      before = time
      report.add(row)
    }
  }
}

/// Experts of which each pair has a cosine of one half: what all share and what is an expert's own, both from a counter.
struct MadeExperts: ExpertSource {
  let count: Int
  var layerCount: Int { 1 }
  func expertCount(layer: Int) -> Int { count }
  func hiddenNeurons(layer: Int) -> Int { 2048 }
  func width(layer: Int) -> Int { 7168 }

  func read(
    layer: Int, expert: Int, matrix: ExpertMatrix, rows: Range<Int>,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    let columns = columns(layer: layer, matrix: matrix)
    var own = UInt32(truncatingIfNeeded: expert &* 2_654_435 &+ rows.lowerBound &* 977 &+ matrix.rawValue.utf8.count)
    var shared = UInt32(truncatingIfNeeded: rows.lowerBound &* columns &+ 12345)
    for index in 0..<rows.count * columns {
      own = own &* 1_664_525 &+ 1_013_904_223
      shared = shared &* 1_664_525 &+ 1_013_904_223
      output[index] = Float(Int32(bitPattern: own) >> 8) + Float(Int32(bitPattern: shared) >> 8)
    }
  }
}
