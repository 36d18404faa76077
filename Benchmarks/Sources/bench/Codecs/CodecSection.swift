import Codecs
import Pipeline

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Rates of the codecs beside a memcpy of 64 MiB that takes turns with each, the best of several.
final class CodecSection {
  private let options: Options
  private let source = UnsafeMutableBufferPointer<UInt16>.allocate(capacity: CodecRun.elements)
  private let halves = UnsafeMutableBufferPointer<UInt16>.allocate(capacity: CodecRun.elements)
  private let floats = UnsafeMutableBufferPointer<Float>.allocate(capacity: CodecRun.elements)
  private let copy = UnsafeMutableBufferPointer<Float>.allocate(capacity: CodecRun.elements)

  /// Encodings with the least ratio to memcpy that decoding to F32 is asked to reach.
  private static let encodings: [(String, goal: Double?)] = [
    ("mxfp4", 1.5), ("int4", 1.5), ("int8", 1.5), ("nf4", 1.5), ("nf4:second=256", nil), ("fp4", nil),
    ("mxfp6e2m3", nil), ("mxfp6e3m2", nil), ("mxfp8e4m3", nil), ("mxfp8e5m2", nil), ("int2", nil), ("int3", nil),
    ("int4:zero=code", nil), ("int4:zero=F16", nil), ("int4:group=16,second=16", nil), ("int4:group=row", nil),
    ("int5", nil), ("int6", nil), ("nvfp4", nil), ("fp8", nil), ("fp8:rows=128,columns=128", nil),
  ]

  init(options: Options) {
    self.options = options
    var values = NormalBF16(seed: 1)
    for index in source.indices { source[index] = values.next() }
    floats.initialize(repeating: 1)
    halves.initialize(repeating: 1)
    copy.initialize(repeating: 1)
  }

  deinit {
    source.deallocate()
    halves.deallocate()
    floats.deallocate()
    copy.deallocate()
  }

  func run(_ report: inout Report) throws {
    let runs = try Self.encodings.map { (try CodecRun($0.0, source: source, floats: floats), $0.goal) }
    report.title("Decoding 16 Mi elements on one core, beside memcpy of 64 MiB")
    for (run, goal) in runs {
      try decode(run, goal: goal, bytes: CodecRun.elements * 4, unit: "GB/s of F32", &report) { try run.decode() }
      try decode(run, goal: nil, bytes: CodecRun.elements * 2, unit: "GB/s of BF16", &report) {
        try run.decodeBF16(into: halves)
      }
    }
    report.title("Encoding from BF16, GB/s of BF16: one core, all cores")
    for (run, _) in runs { try encode(run, &report) }
  }

  private func decode(
    _ run: CodecRun, goal: Double?, bytes: Int, unit: String, _ report: inout Report, _ body: () throws -> Void
  ) throws {
    let (time, base) = try best(of: options.runs, body, beside: copyOnce)
    let rate = Double(bytes) / time / 1e9
    let ratio = rate / (Double(CodecRun.elements * 4) / base / 1e9)
    report.add(
      Measurement(name: run.name, value: rate, unit: unit, ratio: ratio, against: "memcpy", goal: goal))
  }

  private func copyOnce() {
    if let to = copy.baseAddress, let from = floats.baseAddress { memcpy(to, from, CodecRun.elements * 4) }
  }

  /// Every rule that the codec knows.
  private func encode(_ run: CodecRun, _ report: inout Report) throws {
    for rule in ScaleRule.allCases {
      for threads in run.isDivisible ? Set([1, Workers.processors]).sorted() : [1] {
        do {
          let time = try best(of: min(options.runs, 3)) { try run.encode(rule: rule, threads: threads) }
          report.add(
            Measurement(
              name: "\(run.name)@\(rule) x \(threads)", value: Double(CodecRun.elements * 2) / time / 1e9,
              unit: "GB/s of BF16"))
        } catch CodecError.rule {
          break
        }
      }
    }
  }
}
