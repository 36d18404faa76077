import Checkpoints
import Conversion
import FuzzSupport
import Layouts

/// A file of `torch.save` as it is, or two bytes of a pickle's length with its highest bit set, the pickle and the bytes
/// of its storages: read as all three kinds of files of a model that SpQR's quantizer saved, and decoded.
/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let input = fuzzInput(data, count)
  var reader = InputReader(input)
  let length = reader.byte() + reader.byte() << 8
  var file = input
  if length & 0x8000 != 0 {
    let rest = reader.remaining
    file = TorchZip.archive(
      pickle: Array(rest.prefix(length & 0x7FFF)), storage: Array(rest.dropFirst(length & 0x7FFF)))
  }
  for name in ["args.pt", "not_quantized_weights.pt"] { _ = fuzzFile(name, file) }
  let directory = fuzzFile("0/weight", file)
  guard let checkpoint = try? Layouts.open(directory) else { return 0 }
  for index in checkpoint.tensors.indices {
    let reader = SpanReader(checkpoint, tensor: index)
    guard reader.elements <= 1 << 20, let bytes = try? reader.read(0..<reader.elements) else { continue }
    _ = try? bytes.values(reader.codec)
  }
  return 0
}
