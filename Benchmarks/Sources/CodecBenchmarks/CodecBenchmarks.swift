import Codecs

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Rates of the codecs on one core beside memcpy of 64 MiB, measured in the same run, each the best of several.
@main struct CodecBenchmarks {
  let options: Options
  let source = UnsafeMutableBufferPointer<UInt16>.allocate(capacity: CodecRun.elements)
  let halves = UnsafeMutableBufferPointer<UInt16>.allocate(capacity: CodecRun.elements)
  let floats = UnsafeMutableBufferPointer<Float>.allocate(capacity: CodecRun.elements)
  var measurements: [Measurement] = []

  static func main() throws {
    var benchmarks = CodecBenchmarks(options: Options(Array(CommandLine.arguments.dropFirst())))
    benchmarks.fill()
    benchmarks.measureCopy()
    for name in benchmarks.options.codecs { try benchmarks.measure(name) }
    report(benchmarks.measurements, json: benchmarks.options.json)
  }

  private init(options: Options) { self.options = options }

  /// Numbers that look normal: sums of three uniform ones from a linear congruential generator (Knuth, MMIX).
  private func fill() {
    var state: UInt64 = 1
    for index in source.indices {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let sum = (state >> 16 & 0xFFFF) + (state >> 32 & 0xFFFF) + (state >> 48)
      let value = (Float(sum) / 65536 - 1.5) * 0.04
      source[index] = UInt16(truncatingIfNeeded: value.bitPattern >> 16)
    }
    floats.initialize(repeating: 1)
    halves.initialize(repeating: 1)
  }

  private mutating func add(_ name: String, _ unit: String, bytes: Int, _ body: () throws -> Void) rethrows {
    let rate = try best(of: options.runs, bytes: bytes, body)
    measurements.append(Measurement(name: name, unit: unit, gigabytesPerSecond: rate))
  }

  private mutating func measureCopy() {
    let copy = UnsafeMutableRawPointer.allocate(byteCount: CodecRun.elements * 4, alignment: 64)
    defer { copy.deallocate() }
    guard let values = floats.baseAddress else { return }
    add("memcpy", "copied", bytes: CodecRun.elements * 4) { memcpy(copy, values, CodecRun.elements * 4) }
  }

  private mutating func measure(_ name: String) throws {
    let run = try CodecRun(name, source: source, floats: floats)
    for rule in ScaleRule.allCases {
      do {
        try add("\(name) encode \(rule)", "of BF16", bytes: CodecRun.elements * 2) { try run.encode(rule: rule) }
      } catch CodecError.rule {
        continue
      }
    }
    let halves = halves
    try add("\(name) decode to F32", "of F32", bytes: CodecRun.elements * 4) { try run.decode() }
    try add("\(name) decode to BF16", "of BF16", bytes: CodecRun.elements * 2) { try run.decodeBF16(into: halves) }
  }
}
