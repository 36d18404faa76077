import ByteIO

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Rates of the digests over 64 MiB on one core, beside memcpy of as much.
struct DigestSection {
  let options: Options
  private static let bytes = 64 << 20

  func run(_ report: inout Report) {
    let source = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.bytes, alignment: 64)
    let target = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.bytes, alignment: 64)
    defer {
      source.deallocate()
      target.deallocate()
    }
    source.initializeMemory(as: UInt8.self, repeating: 0xA5)
    let bytes = UnsafeRawBufferPointer(source)
    report.title("Digests of 64 MiB on one core")
    var sink: UInt64 = 0
    measure("XXH3-64", target, bytes, &report) { sink &+= XXH3.digest64(bytes) }
    measure("XXH3-128", target, bytes, &report) { sink &+= UInt64(XXH3.digest128(bytes)[0]) }
    measure("SHA-256", target, bytes, &report) {
      let hash = SHA256()
      hash.update(bytes)
      sink &+= UInt64(hash.finish()[0])
    }
    // The sum is used, so that no digest is left out.
    withExtendedLifetime(sink) {}
  }

  private func measure(
    _ name: String, _ target: UnsafeMutableRawBufferPointer, _ source: UnsafeRawBufferPointer,
    _ report: inout Report, _ body: () -> Void
  ) {
    let (time, base) = best(of: options.runs, body, beside: { target.copyMemory(from: source) })
    report.add(
      Measurement(
        name: name, value: Double(Self.bytes) / time / 1e9, unit: "GB/s", ratio: base / time, against: "memcpy"))
  }
}
