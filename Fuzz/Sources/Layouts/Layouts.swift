import Checkpoints
import Codecs
import Conversion
import FuzzSupport
import Layouts

/// A line of config.json, then a safetensors file: tensors in the layouts of other libraries are found, read and
/// decoded, and the file comes back.
/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = InputReader(fuzzInput(data, count))
  _ = fuzzFile("config.json", Array(input.line().utf8))
  let directory = fuzzFile("model.safetensors", input.remaining)
  guard let checkpoint = try? Layouts.open(directory) else { return 0 }
  for index in checkpoint.tensors.indices { decode(checkpoint, index) }
  for file in checkpoint.files { _ = try? checkpoint.segments(of: file) }
  return 0
}

/// Decodes a tensor, up to a bound: a small file may rightly hold much.
private func decode(_ checkpoint: any Checkpoint, _ index: Int) {
  let reader = SpanReader(checkpoint, tensor: index)
  guard reader.elements <= 1 << 20, let bytes = try? reader.read(0..<reader.elements) else { return }
  _ = try? bytes.values(reader.codec)
}
