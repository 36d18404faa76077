import Codecs
import FuzzSupport

/// The text form of an encoding: a canonical one stays as it is.
/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let text = String(decoding: fuzzInput(data, count), as: UTF8.self)
  guard let codec = try? CodecRegistry.codec(text) else { return 0 }
  let canonical = "\(codec.descriptor)"
  let again = try? CodecRegistry.codec(canonical)
  require(again.map { "\($0.descriptor)" } == canonical, "a canonical descriptor that changes")
  return 0
}
