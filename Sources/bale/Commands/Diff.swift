import ArgumentParser
import Checkpoints
import Conversion
import JSON
import Layouts
import Verification

/// `bale diff`: two checkpoints of any formats, tensor by tensor.
struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compares two checkpoints tensor by tensor, whatever their formats.",
    discussion: """
      Exit status 0 if every tensor is there on both sides with the same values, 1 if anything differs.

      EXAMPLES
        bale diff models/mixtral mixtral.bale
        bale diff a.gguf b.safetensors --all
      """)

  @Argument(help: "The first checkpoint.")
  var first: String

  @Argument(help: "The second checkpoint.")
  var second: String

  @Flag(name: .long, help: "List the tensors that are the same, too.")
  var all = false

  @OptionGroup var options: GlobalOptions

  func run() throws {
    let progress = ProgressLine("comparing", options: options)
    defer { progress.finish() }
    let differences = try CheckpointDiff.matching(Layouts.open(first), Layouts.open(second))
      .run(resources: options.resources) { progress.update($0) }
    progress.finish()
    DifferencePrinter(options: options).show(differences, all: all)
    if differences.contains(where: { $0.kind != .identical }) { throw ExitCode(Failure.bad) }
  }
}

/// What `diff` and `verify --against` print.
struct DifferencePrinter {
  let options: GlobalOptions

  func show(_ differences: [TensorDifference], all: Bool) {
    if options.json {
      let result = JSONValue.array(differences.map(Self.json))
      return Terminal.print(result)
    }
    guard !options.quiet else { return }
    let listed = differences.filter { all || $0.kind != .identical }
    if !listed.isEmpty { print(table(listed) + "\n") }
    let same = differences.count { $0.kind == .identical }
    print("\(same) of \(differences.count) tensors are identical")
  }

  private func table(_ differences: [TensorDifference]) -> String {
    var table = TextTable([
      ("tensor", .left), ("", .left), ("first", .left), ("second", .left), ("differing", .right),
      ("relative MSE", .right), ("max error", .right), ("cosine", .right),
    ])
    for tensor in differences {
      let encodings =
        tensor.kind == .shape ? ("\(tensor.shapes.0)", "\(tensor.shapes.1)") : tensor.encodings
      let hasFigures = tensor.kind == .values
      table.add([
        tensor.name, tensor.kind.rawValue, encodings.0, encodings.1, hasFigures ? "\(tensor.differing)" : "",
        hasFigures ? Format.error(tensor.relativeMSE) : "", hasFigures ? Format.error(tensor.maximumError) : "",
        hasFigures ? Format.decimals(tensor.cosine, 6) : "",
      ])
    }
    return table.text
  }

  private static func json(_ tensor: TensorDifference) -> JSONValue {
    [
      "name": .string(tensor.name), "result": .string(tensor.kind.rawValue),
      "first": .string(tensor.encodings.0), "second": .string(tensor.encodings.1),
      "differing": .integer(tensor.differing), "relative_mse": .real(tensor.relativeMSE),
      "max_error": .real(tensor.maximumError), "cosine": .real(tensor.cosine),
    ]
  }
}
