import Checkpoints
import Codecs
import Conversion
import Layouts
import Pipeline
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Reads the tensors of checkpoints in other libraries' layouts and decodes them to BF16 in memory, with two threads:
/// the checkpoints are the directories that BALE_BENCH_LAYOUTS names, with colons between. Scripts/layouts/bench.py
/// makes them, and runs this beside the libraries.
struct LayoutSection {
  let options: Options

  func run(_ report: inout Report) throws {
    report.title("Layouts of other libraries, read and decoded to BF16, two threads")
    for path in options.layouts {
      let readers = try readers(path)
      var (wall, processor) = (Double.infinity, Double.infinity)
      for _ in 0...max(1, options.runs) {
        let before = processorSeconds()
        wall = min(wall, try seconds { for reader in readers { try decode(reader) } })
        processor = min(processor, processorSeconds() - before)
      }
      report.add(Measurement(name: path, value: wall * 1000, unit: "ms"))
      report.add(Measurement(name: path, value: processor * 1000, unit: "ms of CPU"))
    }
  }

  /// Of the matrices of a checkpoint.
  private func readers(_ path: String) throws -> [SpanReader] {
    let stored = try Layouts.open(path)
    if let plain = PlainGPTOSSView(stored, dtype: .bf16) {
      return plain.tensors.indices.map { SpanReader(plain, tensor: $0) }.filter { $0.elements > $0.columns }
    }
    return stored.tensors.indices.map { SpanReader(stored, tensor: $0) }.filter { $0.elements > $0.columns }
  }

  private func decode(_ reader: SpanReader) throws {
    let span = SpanRule.elements([reader.codec], columns: reader.columns)
    let target = PlainCodec(.bf16)
    let transcoder = try Transcoder(from: reader.codec, to: target, measured: false)
    let count = (reader.elements + span - 1) / span
    try OrderedPipeline.run(count: count, threads: 2, window: 4) { index in
      let input = try reader.read(index * span..<min((index + 1) * span, reader.elements))
      if transcoder.isCopy { return input }
      let output = EncodedBytes(target, elements: input.elements, columns: input.columns)
      _ = try input.withSpan { input in try output.withTargets { try transcoder.run(input, into: $0) } }
      return output
    } consume: { _, _ in
    }
  }

  /// Of all threads of this process.
  private func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
