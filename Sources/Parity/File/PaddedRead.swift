import ByteIO

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension InputFile {
  /// Fills a buffer from `offset` with the bytes before `end`, and with zeros where the range or the file ends first.
  /// - Returns: false if the file ends before the range does.
  @discardableResult func readPadded(
    at offset: Int, before end: Int, into buffer: UnsafeMutableRawBufferPointer
  ) throws -> Bool {
    let count = max(0, min(min(end, size) - offset, buffer.count))
    try read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
    if let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...]).baseAddress {
      memset(rest, 0, buffer.count - count)
    }
    return min(end, offset + buffer.count) <= size
  }
}
