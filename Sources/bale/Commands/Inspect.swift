import ArgumentParser
import Checkpoints
import Conversion
import JSON
import Layouts

/// `bale inspect`: what a checkpoint holds, from its headers alone.
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows what is in a checkpoint: tensors, encodings, bits per weight, metadata.",
    discussion: """
      Reads headers only, so that it is quick on checkpoints of any size.

      EXAMPLES
        bale inspect models/mixtral
        bale inspect model.gguf --tensors
        bale inspect mixtral.bale --json
      """)

  @Argument(help: "A checkpoint: a directory, or a .safetensors, .gguf or .bale file.")
  var path: String

  @Flag(name: .long, help: "List every tensor.")
  var tensors = false

  @OptionGroup var options: GlobalOptions

  func run() throws {
    let checkpoint = try Layouts.open(path)
    if options.json {
      Terminal.print(json(checkpoint))
    } else if !options.quiet {
      print(summary(checkpoint))
      if tensors { print("\n" + list(checkpoint)) }
    }
  }

  private func summary(_ checkpoint: any Checkpoint) -> String {
    let elements = checkpoint.tensors.reduce(0) { $0 + $1.shape.elements }
    let bytes = checkpoint.storage.reduce(0) { $0 + $1.size }
    var table = TextTable([
      ("role", .left), ("encoding", .left), ("tensors", .right), ("weights", .right), ("size", .right),
      ("bits/weight", .right),
    ])
    for row in EncodingSummary.rows(of: checkpoint.tensors) {
      table.add([
        row.role, row.encoding, "\(row.tensors)", Format.count(row.elements), Format.bytes(row.bytes),
        Format.decimals(row.bitsPerWeight, 3),
      ])
    }
    let files = checkpoint.storage.count
    let lines =
      [
        "\(path): \(checkpoint.format.rawValue), \(files) \(files == 1 ? "file" : "files"), \(Format.bytes(bytes))",
        "\(checkpoint.tensors.count) tensors, \(Format.count(elements)) weights",
      ] + layouts(checkpoint) + ["", table.text]
    return (lines + metadata(checkpoint)).joined(separator: "\n")
  }

  /// The layouts of other libraries that tensors were seen through.
  private func layouts(_ checkpoint: any Checkpoint) -> [String] {
    if let refusal = (checkpoint as? LayoutCheckpoint)?.refusal {
      return ["layout: \(refusal.layout), which can't be read as values: \(refusal.remedy)"]
    }
    let names = checkpoint.tensors.compactMap(\.layout)
    let counts = Dictionary(names.map { ($0, 1) }, uniquingKeysWith: +)
    return counts.sorted { $0.key < $1.key }.map {
      "layout: \($0.key), \($0.value) \($0.value == 1 ? "tensor" : "tensors")"
    }
  }

  private func metadata(_ checkpoint: any Checkpoint) -> [String] {
    let facts = checkpoint.facts
    guard !facts.isEmpty else { return [] }
    var table = TextTable([("metadata", .left), ("value", .left)])
    for (key, value) in facts { table.add([key, Format.shortened(value, to: 80)]) }
    return ["", table.text]
  }

  private func list(_ checkpoint: any Checkpoint) -> String {
    var table = TextTable([
      ("tensor", .left), ("role", .left), ("encoding", .left), ("shape", .left), ("size", .right),
    ])
    for tensor in checkpoint.tensors {
      table.add([
        tensor.name, tensor.role.word, tensor.codec.shortName, "\(tensor.shape)", Format.bytes(tensor.storedBytes),
      ])
    }
    return table.text
  }

  private func json(_ checkpoint: any Checkpoint) -> JSONValue {
    let facts = checkpoint.facts.map { JSONObject.Member($0.key, .string($0.value)) }
    return [
      "path": .string(path), "format": .string(checkpoint.format.rawValue),
      "files": .array(checkpoint.storage.map { ["path": .string($0.path), "bytes": .integer($0.size)] }),
      "metadata": .object(JSONObject(facts)), "tensors": .array(checkpoint.tensors.map(Self.json)),
    ]
  }

  private static func json(_ tensor: CheckpointTensor) -> JSONValue {
    [
      "name": .string(tensor.name), "role": .string(tensor.role.word),
      "encoding": .string("\(tensor.codec.descriptor)"),
      "shape": .array(tensor.shape.dimensions.map { .integer($0) }), "bytes": .integer(tensor.storedBytes),
      "layout": tensor.layout.map { .string($0) } ?? .null,
      "relative_mse": tensor.error.map { .real($0.relativeMSE) } ?? .null,
      "max_error": tensor.error.map { .real($0.maximumError) } ?? .null,
    ]
  }
}
