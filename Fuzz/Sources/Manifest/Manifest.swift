import FuzzSupport
import Manifests

/// A manifest: what is accepted is the same when it is written and read.
/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let directory = fuzzFile("manifest.json", fuzzInput(data, count))
  guard let manifest = try? Manifest(reading: directory + "/manifest.json") else { return 0 }
  let again = try? Manifest(reading: fuzzFile("again.json", manifest.encoded) + "/again.json")
  require(again == manifest, "a manifest that changes when it is written")
  return 0
}
