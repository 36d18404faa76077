import Checkpoints
import Codecs
import Conversion
import FuzzSupport
import Layouts

/// An ONNX model beside 64 bytes of external data: its weights are found, read and decoded, and the file is cut in its
/// segments.
/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  _ = fuzzFile("weights.bin", [UInt8](0..<64))
  let directory = fuzzFile("model.onnx", fuzzInput(data, count))
  guard let checkpoint = try? Layouts.open(directory + "/model.onnx") else { return 0 }
  for index in checkpoint.tensors.indices {
    let reader = SpanReader(checkpoint, tensor: index)
    guard reader.elements <= 1 << 20, let bytes = try? reader.read(0..<reader.elements) else { continue }
    _ = try? bytes.values(reader.codec)
  }
  for file in checkpoint.files { _ = try? checkpoint.segments(of: file) }
  return 0
}
