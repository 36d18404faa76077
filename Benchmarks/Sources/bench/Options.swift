#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What to measure.
enum Section: String, CaseIterable {
  case codecs, calibration, digests, opening, lossless, experts, meter, jobs, llama, layouts
}

/// An argument that means nothing.
struct UnknownArgument: Error { var text: String }

struct Options {
  var json = false
  /// Repetitions of each measurement.
  var runs = 7
  var sections: [Section] = []
  /// Size of the checkpoint of the jobs, in MiB.
  let checkpointMiB = Self.environment("BALE_BENCH_MIB").flatMap(Int.init) ?? 1024
  /// Rounds of the jobs.
  let rounds = Self.environment("BALE_BENCH_ROUNDS").flatMap(Int.init) ?? 3
  /// Where files are made; emptied afterwards.
  let directory = Self.environment("BALE_BENCH_DIR") ?? "out/bench"
  /// The program that the jobs run.
  let program = Self.environment("BALE") ?? ".build/release/bale"

  /// The peers that the section `llama` runs, where they are named.
  let llamaQuantize = Self.environment("LLAMA_QUANTIZE")
  let llamaConverter = Self.environment("LLAMA_CONVERTER")
  let python = Self.environment("LLAMA_PYTHON") ?? "python3"
  /// The Python that has zipnn, and a model beside the made weights, for the section `lossless`.
  let zipnn = Self.environment("ZIPNN_PYTHON")
  let losslessModel = Self.environment("BALE_LOSSLESS_MODEL")
  /// The model whose tokenizer the section `llama` takes.
  let samples = Self.environment("BALE_SAMPLE") ?? "samples/tiny-mixtral"

  /// Directories that the section `layouts` decodes.
  let layouts = (Self.environment("BALE_BENCH_LAYOUTS") ?? "").split(separator: ":").map(String.init)

  init(_ arguments: [String]) throws {
    var rest = arguments.makeIterator()
    while let argument = rest.next() {
      switch argument {
      case "--json": json = true
      case "--runs": runs = rest.next().flatMap(Int.init) ?? runs
      default:
        guard let section = Section(rawValue: argument) else { throw UnknownArgument(text: argument) }
        sections.append(section)
      }
    }
    if sections.isEmpty { sections = Section.allCases }
  }

  private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
