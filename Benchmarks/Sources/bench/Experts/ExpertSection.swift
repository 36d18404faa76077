import BaleFormat
import ByteIO
import Codecs
import Experts
import GGUF
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Experts fetched as a router names them: one read of a `.bale` record, beside three ranges of a GGUF's stacks. Both
/// files hold the same number of bytes; the page cache is told to forget what is read next.
struct ExpertSection {
  let options: Options
  private static let layers = 4
  private static let experts = 32
  private static let chosen = 8
  private static let tokens = 64
  /// Bytes of a matrix: 768 x 2048 weights at 4.25 bits, as of Qwen3-30B-A3B.
  private static let matrix = 768 * 2048 / 32 * 17

  func run(_ report: inout Report) throws {
    try Path.createDirectory(options.directory)
    let bale = Path.join(options.directory, "experts.bale")
    let gguf = Path.join(options.directory, "experts.gguf")
    defer { for path in [bale, gguf] { Path.remove(path) } }
    try writeBale(bale)
    let stacks = try writeGGUF(gguf)
    let trace = RoutingTrace(layers: Self.layers, experts: Self.experts, chosen: Self.chosen, tokens: Self.tokens)
    let file = try BaleFile(bale)
    let records = trace.steps.map { step in
      step.compactMap { file.record(layer: $0.layer, expert: $0.expert)?.range }
    }
    let ranges = trace.steps.map { step in step.flatMap { stacks.ranges($0) } }
    report.title("Fetching \(trace.requests) experts of \(3 * Self.matrix) bytes, nothing cached")
    let one = try Replay(bale).run(records, readsEach: 1)
    let three = try Replay(gguf).run(ranges, readsEach: 3)
    for (name, found) in [("one record of a .bale", one), ("three ranges of a GGUF", three)] {
      report.add(Measurement(name: "\(name), reads", value: Double(found.reads), unit: "reads"))
      report.add(Measurement(name: "\(name), bytes", value: Double(found.bytes) / 1e6, unit: "MB"))
    }
    for (percent, value) in [(50, one.percentile(50)), (95, one.percentile(95)), (99, one.percentile(99))] {
      report.add(
        Measurement(
          name: "one record, latency p\(percent)", value: value * 1e6, unit: "us",
          ratio: three.percentile(percent) / max(value, 1e-9), against: "three ranges"))
    }
    try store(trace, file, &report)
  }

  /// The same trace through an ExpertStore that has room for a quarter of the experts, with what the next step needs
  /// read ahead.
  private func store(_ trace: RoutingTrace, _ file: BaleFile, _ report: inout Report) throws {
    report.title("The same trace through an ExpertStore with room for a quarter of the experts")
    let capacity = Self.layers * Self.experts * 3 * Self.matrix / 4
    for threads in [0, 2] {
      let store = ExpertStore<RecordContent>(file, capacity: capacity, threads: threads)
      var times: [Double] = []
      for (index, step) in trace.steps.enumerated() {
        if index + 1 < trace.steps.count { store.prefetch(trace.steps[index + 1]) }
        for id in step { times.append(try seconds { _ = try store.expert(id) }) }
      }
      let found = store.statistics
      let name = threads == 0 ? "without prefetch" : "with prefetch"
      report.add(Measurement(name: "\(name), reads", value: Double(found.reads), unit: "reads"))
      report.add(Measurement(name: "\(name), read", value: Double(found.bytesRead) / 1e6, unit: "MB"))
      let share = Double(found.hits) / Double(max(found.hits + found.misses, 1))
      report.add(Measurement(name: "\(name), from memory", value: share * 100, unit: "%"))
      times.sort()
      for percent in [50, 95, 99] {
        let value = times[min(times.count - 1, times.count * percent / 100)]
        report.add(Measurement(name: "\(name), latency p\(percent)", value: value * 1e6, unit: "us"))
      }
    }
  }

  private func writeBale(_ path: String) throws {
    var writing = BaleWriter.Options()
    writing.overwrite = true
    let writer = try BaleWriter(path, options: writing)
    let codec = PlainCodec(.u8)
    let layout = try PartLayout(codec: codec, elements: Self.matrix, columns: Self.matrix)
    guard let shape = Shape([1, Self.matrix]) else { return }
    var ids: [[TensorID]] = []
    for number in 0..<Self.layers * Self.experts {
      ids.append(
        try ["gate", "up", "down"].map { matrix in
          try writer.declare(
            TensorDeclaration(
              name: "layers.\(number / Self.experts).experts.\(number % Self.experts).\(matrix)", dtype: .u8,
              shape: shape, encoding: "\(codec.descriptor)", isLossless: true))
        })
    }
    for number in 0..<Self.layers * Self.experts {
      try writer.beginRecord(
        .expert(layer: number / Self.experts, expert: number % Self.experts),
        parts: ids[number].map { PartDeclaration(tensor: $0, range: 0..<1, layout: layout) })
      for part in 0..<3 {
        for span in 0..<layout.spanCount {
          let bytes = [UInt8](
            repeating: UInt8(truncatingIfNeeded: number * 3 + part), count: layout.elements(inSpan: span))
          try writer.append(try layout.chunk(plane: 0, index: span, bytes: bytes), part: part)
        }
      }
      try writer.endRecord()
    }
    _ = try writer.commit()
  }

  /// Where the matrices of experts lie in stacks of a GGUF file.
  private struct Stacks {
    var starts: [[Int]]

    func ranges(_ id: ExpertID) -> [Range<Int>] {
      starts[id.layer].map {
        $0 + id.expert * ExpertSection.matrix..<$0 + (id.expert + 1) * ExpertSection.matrix
      }
    }
  }

  private func writeGGUF(_ path: String) throws -> Stacks {
    let infos = (0..<Self.layers).flatMap { layer in
      ["gate", "up", "down"].compactMap { matrix in
        Shape([Self.experts, Self.matrix]).map {
          GGUFTensorInfo(name: "blk.\(layer).ffn_\(matrix)_exps.weight", type: .i8, shape: $0)
        }
      }
    }
    let plan = try GGUFHeader.plan(metadata: ["general.architecture": .string("llama")], tensors: infos)
    let output = try OutputFile(path, overwrite: true)
    try output.write(plan.header, at: 0)
    let piece = [UInt8](repeating: 7, count: 1 << 20)
    for start in stride(from: plan.header.count, to: plan.fileSize, by: piece.count) {
      try output.write(Array(piece.prefix(plan.fileSize - start)), at: start)
    }
    try output.commit(length: plan.fileSize)
    let starts = plan.tensors.map(\.range.lowerBound)
    return Stacks(starts: (0..<Self.layers).map { Array(starts[$0 * 3..<$0 * 3 + 3]) })
  }
}

/// Which experts each token is sent to: some are asked for much more often than others.
struct RoutingTrace {
  /// The experts of one token in one layer, in turn.
  private(set) var steps: [[ExpertID]] = []

  var requests: Int { steps.reduce(0) { $0 + $1.count } }

  init(layers: Int, experts: Int, chosen: Int, tokens: Int) {
    var state: UInt64 = 1
    func next() -> Double {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Double(state >> 40) / Double(1 << 24)
    }
    for _ in 0..<tokens {
      for layer in 0..<layers {
        var picked: [Int] = []
        while picked.count < chosen {
          // Squared, so that low numbers come more often; turned by the layer.
          let expert = (Int(next() * next() * Double(experts)) + layer * 5) % experts
          if !picked.contains(expert) { picked.append(expert) }
        }
        steps.append(picked.map { ExpertID(layer: layer, expert: $0) })
      }
    }
  }
}

/// Reads ranges of a file, told to forget them first.
struct Replay {
  private let path: String

  init(_ path: String) { self.path = path }

  struct Outcome {
    var reads = 0
    var bytes = 0
    /// Seconds of each expert, ascending.
    var times: [Double] = []

    func percentile(_ percent: Int) -> Double {
      times.isEmpty ? 0 : times[min(times.count - 1, times.count * percent / 100)]
    }
  }

  /// - Parameter readsEach: how many ranges make an expert.
  func run(_ steps: [[Range<Int>]], readsEach: Int) throws -> Outcome {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw IOError("open", path: path, code: errno) }
    defer { close(descriptor) }
    fsync(descriptor)
    let largest = steps.joined().map(\.count).max() ?? 0
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: largest * readsEach, alignment: 16384)
    defer { buffer.deallocate() }
    var outcome = Outcome()
    for step in steps {
      for first in stride(from: 0, to: step.count, by: readsEach) {
        let ranges = step[first..<min(first + readsEach, step.count)]
        for range in ranges {
          posix_fadvise(descriptor, off_t(range.lowerBound), off_t(range.count), POSIX_FADV_DONTNEED)
        }
        outcome.times.append(
          seconds {
            var offset = 0
            for range in ranges {
              let target = buffer.baseAddress.map { $0 + offset }
              outcome.bytes += max(0, pread(descriptor, target, range.count, off_t(range.lowerBound)))
              offset += range.count
              outcome.reads += 1
            }
          })
      }
    }
    outcome.times.sort()
    return outcome
  }
}
