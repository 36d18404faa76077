import FuzzSupport
import Safetensors

/// A whole file: its header must be refused, or give ranges that lie in the file.
/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = fuzzInput(data, count)
  guard let header = try? SafetensorsHeader(of: bytes, file: "input") else { return 0 }
  for tensor in header.tensors {
    require(tensor.bytes.lowerBound >= header.headerRange.upperBound, "a tensor in the header")
    require(tensor.bytes.upperBound <= count, "a tensor beyond the file")
    require(header[tensor.name] == tensor, "a name that finds another tensor")
  }
  return 0
}
