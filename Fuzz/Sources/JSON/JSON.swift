import FuzzSupport
import JSON

/// A text: what is accepted is equal when written and read again.
/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = fuzzInput(data, count)
  _ = try? JSONValue(parsing: bytes, duplicateKeys: .kept)
  guard let value = try? JSONValue(parsing: bytes) else { return 0 }
  let again = try? JSONValue(parsing: value.encoded())
  require(again == value, "a value that changes when it is written")
  return 0
}
