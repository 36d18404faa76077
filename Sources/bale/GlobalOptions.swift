import ArgumentParser
import Conversion
import Pipeline

/// The options of every subcommand.
struct GlobalOptions: ParsableArguments {
  @Flag(name: .long, help: "Print nothing but errors.")
  var quiet = false

  @Flag(name: .long, help: "Print the result as JSON.")
  var json = false

  @Option(name: .long, help: ArgumentHelp("Threads to work with.", valueName: "N"))
  var threads: Int = Workers.processors

  @Option(
    name: .long, help: ArgumentHelp("Memory to stay within: bytes, or a number with K, M or G.", valueName: "SIZE"))
  var memory: ByteSize = ByteSize(256 << 20)

  func validate() throws {
    guard (1...1024).contains(threads) else { throw ValidationError("--threads should be 1 to 1024") }
    guard memory.bytes >= 16 << 20 else { throw ValidationError("--memory should be at least 16M") }
  }

  var resources: Resources { Resources(threads: threads, memory: memory.bytes) }
}

/// The options of the subcommands that write.
struct OutputOptions: ParsableArguments {
  @Flag(name: .long, help: "Print what would be written, with sizes, and write nothing.")
  var dryRun = false

  @Flag(name: .long, help: "Overwrite what exists.")
  var force = false
}

/// A size in bytes as people give it: 4096, 64K, 256M, 5G (powers of 1024).
struct ByteSize: ExpressibleByArgument, CustomStringConvertible {
  var bytes: Int

  init(_ bytes: Int) { self.bytes = bytes }

  init?(argument: String) {
    let units: [Character: Int] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40]
    let unit = argument.last.flatMap { units[Character($0.uppercased())] }
    guard let number = Int(unit == nil ? argument : String(argument.dropLast())), number >= 0 else { return nil }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: unit ?? 1)
    if overflow { return nil }
    self.bytes = bytes
  }

  var description: String {
    for (shift, unit) in [(40, "T"), (30, "G"), (20, "M"), (10, "K")] where bytes > 0 && bytes % (1 << shift) == 0 {
      return "\(bytes >> shift)\(unit)"
    }
    return "\(bytes)"
  }

  var defaultValueDescription: String { description }
}
