import BaleFormat
import ByteIO
import Codecs
import GGUF
import Safetensors
import Tensors

/// How long files with many entries take to open, beside reading the bytes that opening has to read.
struct OpeningSection {
  let options: Options
  private static let tensors = 100_000
  private static let tokens = 150_000

  func run(_ report: inout Report) throws {
    try Path.createDirectory(options.directory)
    report.title("Opening, beside reading the same headers")
    try bale(&report)
    try safetensors(&report)
    try gguf(&report)
  }

  private static var names: [String] {
    (0..<tensors).map { "model.layers.\($0 / 1000).mlp.experts.\($0 % 1000 / 3).w\($0 % 3).weight" }
  }

  private func bale(_ report: inout Report) throws {
    let path = Path.join(options.directory, "many.bale")
    var writing = BaleWriter.Options()
    writing.overwrite = true
    let writer = try BaleWriter(path, options: writing)
    let codec = PlainCodec(.u8)
    let layout = try PartLayout(codec: codec, elements: 1, columns: 1)
    for name in Self.names {
      let tensor = try writer.declare(
        TensorDeclaration(
          name: name, dtype: .u8, shape: .scalar, encoding: "\(codec.descriptor)", isLossless: true))
      try writer.beginRecord(.tensor, parts: [PartDeclaration(tensor: tensor, range: 0..<1, layout: layout)])
      try writer.append(try layout.chunk(plane: 0, index: 0, bytes: [1]), part: 0)
      try writer.endRecord()
    }
    _ = try writer.commit()
    defer { Path.remove(path) }
    let size = try InputFile(path).size
    // The records of one byte take 128 each; the rest is header, directory and trailer.
    let directory = size - 128 * Self.tensors
    try measure("100,000 tensors, .bale", path, size - directory..<size, &report) { _ = try BaleFile(path) }
  }

  private func safetensors(_ report: inout Report) throws {
    let path = Path.join(options.directory, "many.safetensors")
    let plan = try SafetensorsHeader.plan(tensors: Self.names.map { SafetensorsTensorSpec($0, .u8, .scalar) })
    try write(plan.headerBytes, size: plan.fileSize, to: path)
    defer { Path.remove(path) }
    try measure("100,000 tensors, safetensors", path, 0..<plan.headerBytes.count, &report) {
      _ = try SafetensorsFile(path)
    }
  }

  private func gguf(_ report: inout Report) throws {
    let path = Path.join(options.directory, "many.gguf")
    let metadata: GGUFMetadata = [
      "general.architecture": .string("llama"),
      "tokenizer.ggml.tokens": .array(.string(GGUFStrings((0..<Self.tokens).map { "token\($0)" }))),
      "tokenizer.ggml.scores": .array(.float32((0..<Self.tokens).map(Float.init))),
      "tokenizer.ggml.token_type": .array(.int32([Int32](repeating: 1, count: Self.tokens))),
    ]
    let plan = try GGUFHeader.plan(metadata: metadata, tensors: [])
    try write(plan.header, size: plan.fileSize, to: path)
    defer { Path.remove(path) }
    try measure("150,000 tokens, GGUF", path, 0..<plan.header.count, &report) {
      _ = try GGUFHeader(parsing: InputFile(path))
    }
  }

  private func write(_ header: [UInt8], size: Int, to path: String) throws {
    let output = try OutputFile(path, overwrite: true)
    try output.write(header, at: 0)
    try output.commit(length: size)
  }

  private func measure(
    _ name: String, _ path: String, _ range: Range<Int>, _ report: inout Report, _ open: () throws -> Void
  ) throws {
    let (time, base) = try best(of: options.runs, open, beside: { _ = try InputFile(path).bytes(range) })
    report.add(Measurement(name: name, value: time * 1000, unit: "ms", ratio: base / time, against: "reading"))
  }
}
