import ByteIO
import Safetensors
import Tensors
import TestSupport
import Testing

@testable import Calibration

@Suite struct StatisticsFileTests {
  private let directory = try? TemporaryDirectory()

  private func file(_ tensors: [(String, DType, [Int], [UInt8])]) throws -> String {
    let path = try #require(directory).file("stats.safetensors")
    try SafetensorsWriter.write(
      tensors.map { .init(SafetensorsTensorSpec($0.0, $0.1, try #require(Shape($0.2))), $0.3) }, to: path,
      overwrite: true)
    return path
  }

  private func floats(_ values: [Float]) -> [UInt8] {
    values.reduce(into: []) { $0.append(littleEndian: $1.bitPattern) }
  }

  private func count(_ value: Int64) -> [UInt8] { [UInt8]().appending(littleEndian: value) }

  @Test func hessiansAndDiagonalsAreRead() throws {
    let path = try file([
      ("a.weight.hessian", .f32, [2, 2], floats([1, 2, 2, 5])), ("a.weight.count", .i64, [1], count(7)),
      ("b.weight.diagonal", .f32, [3], floats([1, 2, 3])), ("b.weight.count", .i64, [], count(0)),
    ])
    let source = try HessianFile(path)
    #expect(source.names == ["a.weight", "b.weight"])
    #expect(source.columns(of: "a.weight") == 2)
    #expect(source.tokens(of: "a.weight") == 7)
    #expect(source.columns(of: "c") == nil)
    let full = try #require(try source.hessian(of: "a.weight"))
    #expect(full.diagonal == [1, 5])
    let diagonal = try #require(try source.hessian(of: "b.weight"))
    #expect(diagonal.diagonal == [1, 2, 3])
    #expect(diagonal.tokens == 0)
  }

  @Test func badFilesAreRefusedByReason() throws {
    let good = ("a.hessian", DType.f32, [1, 1], floats([1]))
    let counted = ("a.count", DType.i64, [1], count(1))
    let cases: [([(String, DType, [Int], [UInt8])], CalibrationReason)] = [
      ([good, counted, ("a.weight", .f32, [1], floats([1]))], .name),
      ([good], .unpaired), ([counted], .unpaired),
      ([good, counted, ("a.diagonal", .f32, [1], floats([1]))], .twice),
      ([("a.hessian", .f32, [1, 2], floats([1, 2])), counted], .shape([1, 2])),
      ([("a.hessian", .f32, [1], floats([1])), counted], .shape([1])),
      ([("a.hessian", .f16, [1, 1], [0, 0]), counted], .dtype(expected: "F32", found: "F16")),
      ([good, ("a.count", .i32, [1], [1, 0, 0, 0])], .dtype(expected: "I64", found: "I32")),
      ([good, ("a.count", .i64, [2], count(1) + count(1))], .shape([2])),
      ([good, ("a.count", .i64, [1], count(-1))], .count(-1)),
    ]
    for (tensors, reason) in cases {
      let path = try file(tensors)
      let error = #expect(throws: CalibrationError.self) { try HessianFile(path) }
      #expect(error?.reason == reason)
    }
  }

  /// Entries of the old imatrix format: values are mean squares times calls.
  @Test func oldImatrixFilesAreRead() throws {
    var bytes = [UInt8]().appending(littleEndian: Int32(2))
    bytes += entry("blk.0.attn_q.weight", calls: 4, [4, 8])
    bytes += entry("blk.0.ffn_up_exps.weight", calls: 2, [2, 4, 6, 8])
    let tail = bytes.appending(littleEndian: Int32(9))
    let imatrix = try ImportanceMatrix(try #require(directory).write(tail, to: "imatrix.dat"))
    #expect(imatrix.names == ["blk.0.attn_q.weight", "blk.0.ffn_up_exps.weight"])
    #expect(try imatrix.diagonal(of: "blk.0.attn_q.weight", columns: 2)?.diagonal == [1, 2])
    #expect(try imatrix.diagonal(of: "blk.0.ffn_up_exps.weight", columns: 2, expert: 1)?.diagonal == [3, 4])
    #expect(try imatrix.diagonal(of: "blk.0.ffn_up_exps.weight", columns: 2, expert: 2) == nil)
    #expect(try imatrix.diagonal(of: "blk.0.attn_q.weight", columns: 3) == nil)
    for length in 0..<bytes.count {
      #expect(throws: CalibrationError.self) {
        try ImportanceMatrix(try #require(directory).write(Array(bytes.prefix(length)), to: "cut.dat"))
      }
    }
  }

  @Test func badImatrixFilesAreRefusedByReason() throws {
    let one = [UInt8]().appending(littleEndian: Int32(1))
    let two = [UInt8]().appending(littleEndian: Int32(2))
    let cases: [([UInt8], CalibrationReason)] = [
      (one + entry("a", calls: -1, [1]), .count(-1)), (one + entry("a", calls: 1, [-1]), .value(-1)),
      (one + entry("a", calls: 1, [.infinity]), .value(.infinity)),
      (two + entry("a", calls: 1, [1]) + entry("a", calls: 1, [1]), .text),
      (one + [1, 0, 0, 0, 0xFF] + [UInt8](repeating: 1, count: 8), .text),
      ([0xFF, 0xFF, 0xFF, 0x7F, 0, 0], .truncated(need: 0x7FFF_FFFF, left: 2)),
      ([0xFF, 0xFF, 0xFF, 0xFF], .truncated(need: -1, left: 0)),
    ]
    for (bytes, reason) in cases {
      let path = try #require(directory).write(bytes, to: "bad.dat")
      let error = #expect(throws: CalibrationError.self) { try ImportanceMatrix(path) }
      #expect(error?.reason == reason)
    }
  }

  private func entry(_ name: String, calls: Int32, _ values: [Float]) -> [UInt8] {
    [UInt8]().appending(littleEndian: Int32(name.utf8.count)) + Array(name.utf8)
      + [UInt8]().appending(littleEndian: calls).appending(littleEndian: Int32(values.count)) + floats(values)
  }

  /// Experts lean on their layer by the rule, and the report names every weight.
  @Test func poolsAndCoverage() throws {
    let path = try file([
      ("l.0.experts.0.w.hessian", .f32, [1, 1], floats([4])), ("l.0.experts.0.w.count", .i64, [1], count(3)),
      ("l.0.experts.1.w.hessian", .f32, [1, 1], floats([8])), ("l.0.experts.1.w.count", .i64, [1], count(1)),
      ("l.0.experts.2.w.hessian", .f32, [1, 1], floats([0])), ("l.0.experts.2.w.count", .i64, [1], count(0)),
      ("l.0.q.hessian", .f32, [2, 2], floats([1, 0, 0, 1])), ("l.0.q.count", .i64, [1], count(1)),
      ("old.hessian", .f32, [1, 1], floats([1])), ("old.count", .i64, [1], count(1)),
    ])
    let source = try HessianFile(path)
    let pooled = PooledCalibration(source)
    #expect(try pooled.hessian(of: "l.0.q")?.diagonal == [1, 1])
    // The pool: (3 * 4 + 1 * 8) / 4 = 5. Expert 0: (3 * 4 + 1 * 5) / 4.
    #expect(try pooled.hessian(of: "l.0.experts.0.w")?.diagonal == [4.25])
    #expect(try pooled.hessian(of: "l.0.experts.1.w")?.diagonal == [6.5])
    #expect(try pooled.hessian(of: "l.0.experts.2.w")?.diagonal == [5])
    #expect(try pooled.hessian(of: "l.0.experts.9.w")?.diagonal == [5])
    #expect(try pooled.hessian(of: "l.1.experts.0.w") == nil)
    let coverage = CalibrationCoverage(
      of: source,
      weights: [("l.0.experts.0.w", 1), ("l.0.experts.2.w", 1), ("l.0.experts.9.w", 1), ("l.0.q", 3), ("l.0.k", 2)])
    #expect(coverage.covered == ["l.0.experts.0.w", "l.0.experts.2.w"])
    #expect(coverage.fewTokens == [.init(name: "l.0.experts.2.w", tokens: 0)])
    #expect(coverage.pooled == ["l.0.experts.9.w"])
    #expect(coverage.wrongSize == ["l.0.q"])
    #expect(coverage.missing == ["l.0.k"])
    #expect(coverage.unused == ["l.0.experts.1.w", "old"])
  }
}

extension [UInt8] {
  fileprivate func appending<T: FixedWidthInteger>(littleEndian value: T) -> [UInt8] {
    var bytes = self
    bytes.append(littleEndian: value)
    return bytes
  }
}
