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
      let checkpoint = try opened(path)
      let tensors = checkpoint.tensors.indices.filter { checkpoint.tensors[$0].shape.rank > 1 }
      let values = tensors.reduce(0) { $0 + checkpoint.tensors[$1].shape.elements }
      var (wall, processor) = (Double.infinity, Double.infinity)
      for _ in 0...max(1, options.runs) {
        let before = processorSeconds()
        wall = min(wall, try seconds { for tensor in tensors { try decode(checkpoint, tensor) } })
        processor = min(processor, processorSeconds() - before)
      }
      report.add(
        Measurement(
          name: path, value: Double(values * 2) / wall / 1e9, unit: "GB/s of BF16", processorSeconds: processor))
    }
  }

  private func opened(_ path: String) throws -> any Checkpoint {
    let checkpoint = try Layouts.open(path)
    return PlainGPTOSSView(checkpoint, dtype: .bf16) ?? checkpoint
  }

  private func decode(_ checkpoint: any Checkpoint, _ tensor: Int) throws {
    let reader = SpanReader(checkpoint, tensor: tensor)
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
