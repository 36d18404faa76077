import FuzzSupport
import Safetensors

/// `model.safetensors.index.json`: what is accepted is accepted again when written.
/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let index = try? ShardIndex(parsing: fuzzInput(data, count), file: "input") else { return 0 }
  let again = try? ShardIndex(parsing: index.encoded(), file: "again")
  // Written keys are sorted, so that order is lost the first time only.
  require(again?.encoded() == index.encoded(), "an index that changes when it is written")
  return 0
}
