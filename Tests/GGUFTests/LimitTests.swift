import ByteIO
import TestSupport
import Testing

@testable import GGUF

/// The caps that a small sample can't reach.
@Suite struct LimitTests {
  private func reason(_ bytes: [UInt8]) -> GGUFReason? {
    do {
      _ = try GGUFHeader(parsing: bytes, path: "x")
      return nil
    } catch { return (error as? GGUFError)?.reason }
  }

  @Test func tooManyTensors() {
    let count = GGUFLimits.entries + 1
    let bytes = GGUFBuilder(tensors: Int64(count)).bytes + [UInt8](repeating: 0, count: 24 * count)
    #expect(
      reason(bytes) == .tooMany(field: "the number of tensors", count: count, limit: GGUFLimits.entries))
  }

  @Test func tooManyPairs() {
    let count = GGUFLimits.entries + 1
    let bytes = GGUFBuilder(pairs: Int64(count)).bytes + [UInt8](repeating: 0, count: 14 * count)
    #expect(
      reason(bytes) == .tooMany(field: "the number of key-value pairs", count: count, limit: GGUFLimits.entries))
  }

  @Test func tooManyNestedArrays() {
    let count = GGUFLimits.nestedArrays + 1
    var builder = GGUFBuilder(pairs: 1)
    builder.key("key", type: GGUFValueType.array.rawValue)
    builder.number(GGUFValueType.array.rawValue)
    builder.number(UInt64(count))
    #expect(reason(builder.bytes + [UInt8](repeating: 0, count: 12 * count)) == .tooManyArrays(key: "key"))
  }

  /// A sparse file whose header announces more than a header may have: refused before anything is allocated for it.
  @Test func headerTooLong() throws {
    let directory = try TemporaryDirectory()
    var builder = GGUFBuilder(pairs: 1)
    builder.key("key", type: GGUFValueType.array.rawValue)
    builder.number(GGUFValueType.uint8.rawValue)
    builder.number(UInt64(GGUFLimits.headerBytes))
    let output = try OutputFile(directory.file("long.gguf"))
    try output.write(builder.bytes, at: 0)
    try output.commit(length: GGUFLimits.headerBytes + 4096)
    #expect(
      throws: GGUFError(
        .headerTooLong(limit: GGUFLimits.headerBytes), file: output.path, offset: builder.bytes.count)
    ) { try GGUFFile(output.path) }
  }
}
