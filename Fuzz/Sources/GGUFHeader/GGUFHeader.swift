import FuzzSupport
import GGUF

/// A whole file: its header must be refused, or give ranges that lie in the file.
/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let header = try? GGUFHeader(parsing: fuzzInput(data, count), path: "input") else { return 0 }
  for tensor in header.tensors {
    require(tensor.range.lowerBound >= header.dataStart, "a tensor in the header")
    require(tensor.range.upperBound <= count, "a tensor beyond the file")
  }
  return 0
}
