import Tensors
import TestSupport
import Testing

/// One rounding, straight from the source type: numbers next to the midpoint of two neighbours, in F64.
@Suite struct RoundingTests {
  static let narrow: [DType] = [
    .f4, .f6e2m3, .f6e3m2, .f8e4m3, .f8e5m2, .f8e4m3fnuz, .f8e5m2fnuz, .f16, .bf16,
  ]

  /// Going through F32 would take a number just above the midpoint down to it, and then to the even neighbour.
  @Test(arguments: narrow) func midpointsOfF64(target: DType) throws {
    let largest = try Conversions.one(Double.greatestFiniteMagnitude, to: target)
    let format = try #require(FloatFormat(target))
    let codes = (0..<(UInt64(1) << UInt64(target.bits - 1))).map { $0 }
    let values = try Conversions.convert(codes, from: target, to: .f64).map(Double.init(bitPattern:))
    var inputs: [UInt64] = []
    var expected: [UInt64] = []
    for code in codes.dropLast() {
      let (low, high) = (values[Int(code)], values[Int(code) + 1])
      guard low.isFinite, high.isFinite else { break }
      let middle = (low + high) / 2
      for (value, rounded) in [(middle.nextDown, code), (middle, code + code % 2), (middle.nextUp, code + 1)] {
        inputs.append(value.bitPattern)
        expected.append(rounded)
      }
    }
    inputs += [0, 0, 0].prefix((4 - inputs.count % 4) % 4)
    let found = try Conversions.convert(inputs, from: .f64, to: target)
    #expect(Array(found.prefix(expected.count)) == expected)
    #expect(expected.count > 3 * ((1 << (target.bits - 1)) - (1 << format.mantissaBits)) - 6)
    #expect(largest <= 1 << UInt64(target.bits - 1))
  }

  @Test func differsFromLibrariesThatRoundTwice() throws {
    // ml_dtypes 0.6.0 goes from F64 through F32 and gives 0x3F80 and 0x38.
    #expect(try Conversions.one(1 + 0x1p-8 + 0x1p-40, to: .bf16) == 0x3F81)
    #expect(try Conversions.one(1 + 0x1p-4 + 0x1p-40, to: .f8e4m3) == 0x39)
  }

  @Test func doublesBecomeFloatsAsTheProcessorDoesIt() throws {
    var random = SplitMix64(seed: 1)
    var inputs = (0..<20000).map { _ in random.next() }.filter { !Double(bitPattern: $0).isNaN }
    // Most random exponents overflow or vanish: force half of them near F32's range, subnormal numbers included.
    for index in inputs.indices where index % 2 == 0 {
      let field = UInt64.random(in: (1023 - 152)...(1023 + 129), using: &random)
      inputs[index] = inputs[index] & ~(0x7FF << 52) | field << 52
    }
    let found = try Conversions.convert(inputs, from: .f64, to: .f32)
    #expect(found == inputs.map { UInt64(Float(Double(bitPattern: $0)).bitPattern) })
  }

  @Test func wideIntegersBecomeFloatsInOneStep() throws {
    var random = SplitMix64(seed: 2)
    let wide = (0..<4000).map { index in random.next() >> UInt64(index % 64) } + [0, .max, 1 << 63, 1 << 63 - 1]
    let signed = wide.map { Int64(bitPattern: $0) }
    #expect(
      try Conversions.convert(wide, from: .i64, to: .f32) == signed.map { UInt64(Float($0).bitPattern) })
    #expect(try Conversions.convert(wide, from: .u64, to: .f32) == wide.map { UInt64(Float($0).bitPattern) })
    #expect(try Conversions.convert(wide, from: .i64, to: .f64) == signed.map { Double($0).bitPattern })
    #expect(try Conversions.convert(wide, from: .u64, to: .f16) == wide.map { UInt64(Float16($0).bitPattern) })
  }
}
