import FuzzSupport
import Signing

/// The statement that a signature covers: what is accepted is the same when it is written and read.
/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let statement = try? SignedStatement(parsing: fuzzInput(data, count)) else { return 0 }
  let again = try? SignedStatement(parsing: statement.encoded)
  require(again == statement, "a statement that changes when it is written")
  return 0
}
