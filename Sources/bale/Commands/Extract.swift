import ArgumentParser
import ByteIO
import Checkpoints
import Codecs
import JSON
import Safetensors
import Tensors

/// `bale extract`: one expert out of a `.bale`.
struct Extract: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Extracts one expert of one layer, decoded.",
    discussion: """
      Of the file's body only the expert's record is read, in one read from a 16 KiB boundary to another; where the \
      expert is stored beside a centroid, that centroid too. The tensors keep their names, and the dtypes that they had \
      in the source.

      EXAMPLES
        bale extract mixtral.bale --layer 3 --expert 5 expert.safetensors
        bale extract mixtral.bale --layer 3 --expert 5 expert.safetensors --dequantize f32
      """)

  @Argument(help: "A .bale file that keeps its experts apart.")
  var file: String

  @Argument(help: "The .safetensors file to write.")
  var output: String

  @Option(name: .long, help: "The layer, from 0.")
  var layer: Int

  @Option(name: .long, help: "The expert, from 0.")
  var expert: Int

  @Option(name: .long, help: ArgumentHelp("The type of the values, if not the source's.", valueName: "f32|f16|bf16"))
  var dequantize: FloatType?

  @Flag(name: .long, help: "Overwrite what exists.")
  var force = false

  @OptionGroup var options: GlobalOptions

  func validate() throws {
    guard output.hasSuffix(".safetensors") else { throw ValidationError("the output should end in .safetensors") }
    guard layer >= 0, expert >= 0 else { throw ValidationError("layers and experts count from 0") }
  }

  func run() throws {
    let start = ContinuousClock.now
    guard let checkpoint = try Checkpoints.open(file) as? BaleCheckpoint else {
      throw ValidationError("'\(file)' is no .bale file")
    }
    let opened = seconds(since: start)
    let tensors = try checkpoint.expert(layer: layer, expert: expert)
    let read = seconds(since: start) - opened
    try SafetensorsWriter.write(try tensors.map(stored), to: output, overwrite: force)
    let range = checkpoint.file.record(layer: layer, expert: expert)?.range ?? 0..<0
    if options.json {
      let result: JSONValue = [
        "layer": .integer(layer), "expert": .integer(expert), "offset": .integer(range.lowerBound),
        "bytes": .integer(range.count), "seconds": .real(read),
        "tensors": .array(tensors.map { .string($0.name) }),
      ]
      Terminal.print(result)
    } else if !options.quiet {
      for tensor in tensors { print("\(tensor.name)  \(tensor.shape)") }
      print(
        "one read of \(range.count) bytes at \(range.lowerBound), decoded in \(Format.decimals(read * 1000, 2)) ms")
    }
  }

  private func stored(_ tensor: ExpertTensor) throws -> SafetensorsWriter.Tensor {
    let dtype = dequantize?.dtype ?? tensor.dtype.flatMap { $0.isFloat ? $0 : nil } ?? .f32
    var bytes = [UInt8](repeating: 0, count: tensor.values.count * dtype.bits / 8)
    try tensor.values.withUnsafeBufferPointer { values in
      try bytes.withUnsafeMutableBytes { try Elements.encode(values, dtype, into: $0) }
    }
    return SafetensorsWriter.Tensor(SafetensorsTensorSpec(tensor.name, dtype, tensor.shape), bytes)
  }
}
