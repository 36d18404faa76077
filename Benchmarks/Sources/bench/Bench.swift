#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Measures Bale beside what the machine can do, in one run: `bench [--json] [--runs N] [SECTION ...]`.
@main struct Bench {
  static func main() throws {
    guard let options = try? Options(Array(CommandLine.arguments.dropFirst())) else {
      print("usage: bench [--json] [--runs N] [SECTION ...]")
      print("sections: \(Section.allCases.map(\.rawValue).joined(separator: ", "))")
      exit(2)
    }
    var report = Report(json: options.json)
    for section in options.sections {
      switch section {
      case .codecs: try CodecSection(options: options).run(&report)
      case .calibration:
        try SpQRDecoding(options: options).run(&report)
        try SolverSection(options: options).run(&report)
      case .digests: DigestSection(options: options).run(&report)
      case .opening: try OpeningSection(options: options).run(&report)
      case .lossless: try LosslessSection(options: options).run(&report)
      case .experts: try ExpertSection(options: options).run(&report)
      case .meter: try MeterSection(options: options).run(&report)
      case .jobs: try JobSection(options: options).run(&report)
      case .llama: try LlamaSection(options: options).run(&report)
      case .layouts: try LayoutSection(options: options).run(&report)
      }
    }
    report.finish()
  }
}
