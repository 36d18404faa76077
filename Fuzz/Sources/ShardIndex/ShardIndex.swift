import FuzzSupport
import Safetensors

/// `model.safetensors.index.json`: what is accepted is accepted again when written.
/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let index = try? ShardIndex(parsing: fuzzInput(data, count), file: "input") else { return 0 }
  let again = try? ShardIndex(parsing: index.encoded(), file: "again")
  require(again == index, "an index that changes when it is written")
  return 0
}
