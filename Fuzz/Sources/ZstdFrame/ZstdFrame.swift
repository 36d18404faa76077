import Compression
import FuzzSupport

/// Two bytes that say how long the content should be, and a frame.
/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = InputReader(fuzzInput(data, count))
  let size = input.byte() << 8 | input.byte()
  guard let decompressor = try? ZstdDecompressor() else { return 0 }
  let content = input.remaining.withUnsafeBytes { try? decompressor.decompress($0, exactly: size) }
  require(content == nil || content?.count == size, "content of another size")
  return 0
}
