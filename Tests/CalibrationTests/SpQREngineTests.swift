import Codecs
import Safetensors
import TestSupport
import Testing

@testable import Calibration

/// Golden/spqr_engine.safetensors was made by SpQR's own engine (github.com/Vahe1994/SpQR 543d10e, torch 2.15 on one
/// CPU thread): a 48 x 64 weight with a few large values, 512 correlated inputs, group and second-level group 16,
/// statistics of 3 bits, percdamp 0.01, identity order; case a: 3 bits, threshold 0.3; b: 4 bits, 0.2; c: 3 bits, no
/// outliers; d: as a, in the engine's `act_order`. What the engine rounds to F16 when it saves was rounded where it is used: second-level statistics, and
/// outliers, whose rounding error is thus passed on like any other.
@Suite struct SpQREngineTests {
  private let golden: SafetensorsFile

  init() throws {
    golden = try SafetensorsFile(Fixtures.root + "/Tests/CalibrationTests/Golden/spqr_engine.safetensors")
  }

  private func bytes(_ name: String) throws -> [UInt8] { try golden.bytes(of: #require(golden[name])) }

  private func floats(_ name: String) throws -> [Float] {
    try bytes(name).withUnsafeBytes { raw in
      (0..<raw.count / 4).map { Float(bitPattern: raw.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)) }
    }
  }

  @Test(arguments: [("a", 3, Float(0.3)), ("b", 4, 0.2), ("c", 3, .infinity), ("d", 3, 0.3)])
  func codesStatisticsAndOutliersAreTheEngines(name: String, bits: Int, threshold: Float) throws {
    let (rows, columns) = (48, 64)
    let order: SpQRCodec.ColumnOrder = golden["\(name).permutation"] == nil ? .tensor : .permuted
    let encoding = BilevelEncoding(
      try SpQRCodec(dense: BilevelCodec(bits: bits), columnOrder: order), rule: .range)
    let solver = Solver(
      encoding, order: .natural, damping: 0.01,
      outliers: threshold < .infinity ? OutlierRule(threshold: threshold) : nil, sweeps: 0)
    let hessian = Hessian(columns: columns, moments: .full(try floats("hessian")), tokens: 512)
    let solved = try solver.solve(
      floats("weight"), rows: rows, prepared: solver.prepare(hessian, columns: columns))
    let matrix = try unpacked(encoding, solved)
    #expect(matrix.codes == (try bytes("\(name).codes")))
    #expect(matrix.scaleCodes == (try bytes("\(name).scale_codes")))
    #expect(matrix.zeroCodes == (try bytes("\(name).zero_codes")))
    let statistics = try bytes("\(name).statistics")
    #expect(matrix.statistics.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] } == statistics)
    let outliers = try bytes("\(name).outliers")
    #expect(solved.outliers.map(\.position) == outliers.indices.filter { outliers[$0] == 1 })
    guard order == .permuted else { return }
    let permutation = try bytes("\(name).permutation")
    #expect(solved.permutation == stride(from: 0, to: permutation.count, by: 4).map { Int(permutation[$0]) })
  }

  private func unpacked(_ encoding: BilevelEncoding, _ solved: SolvedMatrix) throws -> BilevelMatrix {
    let planes = Array(try encoding.planes(solved).prefix(3))
    let bytes = planes.flatMap { $0 }
    return try bytes.withUnsafeBytes { all in
      var offset = 0
      let views = planes.map { plane in
        defer { offset += plane.count }
        return UnsafeRawBufferPointer(rebasing: all[offset..<offset + plane.count])
      }
      return try encoding.bilevel.unpack(
        EncodedSpan(planes: views, elements: solved.codes.count, columns: solved.columns))
    }
  }
}
