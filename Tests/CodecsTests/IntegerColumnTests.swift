import TestSupport
import Testing

@testable import Codecs

@Suite struct IntegerColumnTests {
  /// Columns of very different size: one scale each keeps the error of every column small.
  private func values(rows: Int, columns: Int) -> [Float] {
    weights(rows * columns, seed: 21).enumerated().map {
      $1 * Float(sign: .plus, exponent: $0 % columns, significand: 1)
    }
  }

  @Test(arguments: [4, 8, 3], [IntegerCodec.Zero.none, .code, .bias(.f32)])
  func quantizesEachColumnByItself(width: Int, zero: IntegerCodec.Zero) throws {
    let codec = try IntegerCodec(bits: width, grouping: .column, zero: zero)
    let values = values(rows: 64, columns: 9)
    for rule in [ScaleRule.search, .absmax, .range] {
      let encoded = try EncodedTensor(codec, values, columns: 9, rule: rule)
      let decoded = try encoded.decode()
      for column in 0..<9 {
        let indices = stride(from: column, to: values.count, by: 9)
        let error = relativeError(indices.map { decoded[$0] }, indices.map { values[$0] })
        let limit = width == 3 ? 0.2 : width == 4 ? 0.05 : rule == .range ? 0.01 : 0.0002
        #expect(error < limit, "\(codec.descriptor) \(rule) \(column)")
      }
      #expect(try encoded.decodeBF16() == decoded.map(\.roundedToBF16))
    }
  }

  @Test func theTextbookColumn() throws {
    let codec = try IntegerCodec(bits: 4, grouping: .column, scale: .float(.f32))
    let encoded = try EncodedTensor(codec, [1.5, -1.2, 2.0], columns: 1, rule: .range)
    #expect(encoded.planes[0] == [0x07, 0x0A, 0x07])
  }

  @Test func spansGiveTheBytesOfTheWhole() throws {
    let codec = try IntegerCodec(bits: 4, grouping: .column)
    let values = values(rows: 30, columns: 8)
    let whole = try EncodedTensor(codec, values, columns: 8)
    let spans = stride(from: 0, to: values.count, by: 80).map { Array(values[$0..<$0 + 80]) }
    var statistics: [TensorStatistic] = []
    for pass in 0..<codec.passes(rule: .search) {
      var merged = TensorStatistic([], merge: pass == 0 ? .maximum : .sum)
      for span in spans {
        merged.append(
          try span.withUnsafeBufferPointer {
            try codec.gather($0, columns: 8, rule: .search, after: statistics)
          })
      }
      statistics.append(merged)
    }
    var codes: [UInt8] = []
    for span in spans {
      let encoded = try EncodedTensor(codec, span, columns: 8) { values, columns, rule, planes in
        try codec.encode(values, columns: columns, rule: rule, statistics: statistics, into: planes)
      }
      codes += encoded.planes[0]
      #expect(encoded.planes[1] == whole.planes[1])
    }
    #expect(codes == whole.planes[0])
  }
}
