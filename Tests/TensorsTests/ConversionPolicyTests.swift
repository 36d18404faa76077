import Tensors
import Testing

/// The policy table of specs/codecs/plain.md, row by row.
@Suite struct ConversionPolicyTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let target: DType
    /// Codes of +1e30, -1e30, +infinity, -infinity, +NaN, -NaN, -0.
    let codes: [UInt64]
    var testDescription: String { target.rawValue }
  }

  static let rows = [
    Row(target: .f4, codes: [0x7, 0xF, 0x7, 0xF, 0x8, 0x8, 0x8]),
    Row(target: .f6e2m3, codes: [0x1F, 0x3F, 0x1F, 0x3F, 0x20, 0x20, 0x20]),
    Row(target: .f6e3m2, codes: [0x1F, 0x3F, 0x1F, 0x3F, 0x20, 0x20, 0x20]),
    Row(target: .f8e4m3, codes: [0x7E, 0xFE, 0x7E, 0xFE, 0x7F, 0xFF, 0x80]),
    Row(target: .f8e5m2, codes: [0x7C, 0xFC, 0x7C, 0xFC, 0x7E, 0xFE, 0x80]),
    Row(target: .f8e4m3fnuz, codes: [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]),
    Row(target: .f8e5m2fnuz, codes: [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00]),
    Row(target: .f8e8m0, codes: [0xE3, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x00]),
    Row(target: .f16, codes: [0x7C00, 0xFC00, 0x7C00, 0xFC00, 0x7E00, 0xFE00, 0x8000]),
    Row(target: .bf16, codes: [0x714A, 0xF14A, 0x7F80, 0xFF80, 0x7FC0, 0xFFC0, 0x8000]),
    Row(target: .u8, codes: [255, 0, 255, 0, 0, 0, 0]),
    Row(target: .i16, codes: [0x7FFF, 0x8000, 0x7FFF, 0x8000, 0, 0, 0]),
    Row(target: .i64, codes: [.max >> 1, 1 << 63, .max >> 1, 1 << 63, 0, 0, 0]),
    Row(target: .u64, codes: [.max, 0, .max, 0, 0, 0, 0]),
    Row(target: .bool, codes: [1, 1, 1, 1, 1, 1, 0]),
  ]

  @Test(arguments: rows) func extremes(row: Row) throws {
    let inputs: [Float] = [1e30, -1e30, .infinity, -.infinity, .nan, -.nan, -0.0, 0]
    let codes = inputs.map { UInt64($0.bitPattern) }
    #expect(try Conversions.convert(codes, from: .f32, to: row.target) == row.codes + [0])
    #expect(try Conversions.convert(codes, from: .f32, to: row.target, reference: true) == row.codes + [0])
  }

  @Test func saturationDiffersFromMLDTypes() throws {
    // ml_dtypes 0.6.0 gives NaN above 464, the midpoint to a 480 that doesn't exist; torch 2.14 saturates, as we do.
    #expect(try Conversions.one(464, to: .f8e4m3) == 0x7E)
    #expect(try Conversions.one(464.1, to: .f8e4m3) == 0x7E)
    #expect(try Conversions.one(-1e9, to: .f8e4m3) == 0xFE)
    #expect(try Conversions.one(61439, to: .f8e5m2) == 0x7B)
    #expect(try Conversions.one(61440, to: .f8e5m2) == 0x7C)
  }

  @Test func powersOfTwo() throws {
    let cases: [(Double, UInt64)] = [
      (0, 0), (-0.0, 0), (0x1p-300, 0), (0x1p-127, 0), (1.4999 * 0x1p-127, 0), (1.5 * 0x1p-127, 1), (1, 127),
      (1.49, 127), (1.5, 128), (2.9, 128), (3, 129), (0x1p127, 254), (1.49 * 0x1p127, 254), (1.5 * 0x1p127, 255),
      (0x1p200, 255), (-1, 255), (-0x1p-1000, 255),
    ]
    for (value, code) in cases { #expect(try Conversions.one(value, to: .f8e8m0) == code, "\(value)") }
  }

  @Test func integersLoseTheirFractionAndSaturate() throws {
    let cases: [(Double, DType, UInt64)] = [
      (2.99, .i8, 2), (-2.99, .i8, 0xFE), (127.99, .i8, 127), (128, .i8, 127), (-128.9, .i8, 0x80), (-129, .i8, 0x80),
      (255.9, .u8, 255), (-0.9, .u8, 0), (0x1p63, .i64, .max >> 1), (-0x1p63, .i64, 1 << 63),
      (0x1p63, .u64, 1 << 63), (0x1p64, .u64, .max), (0x1p-1074, .i32, 0), (0x1p-1074, .bool, 1),
    ]
    for (value, dtype, code) in cases { #expect(try Conversions.one(value, to: dtype) == code, "\(value) \(dtype)") }
    #expect(try Conversions.one(300, from: .u16, to: .i8) == 127)
    #expect(try Conversions.one(0xFFFF, from: .i16, to: .u32) == 0)
    #expect(try Conversions.one(2, from: .bool, to: .u8) == 1)
  }

  @Test func payloadsOfNaN() throws {
    // Widening keeps the payload, signalling or not; narrowing keeps its head, or makes it quiet.
    #expect(try Conversions.one(0x7C01, from: .f16, to: .f32) == 0x7F80_2000)
    #expect(try Conversions.one(0xFF81, from: .bf16, to: .f64) == 0xFFF0_2000_0000_0000)
    #expect(try Conversions.one(0x7F81_FFFF, from: .f32, to: .bf16) == 0x7F81)
    #expect(try Conversions.one(0xFF80_0001, from: .f32, to: .bf16) == 0xFFC0)
    #expect(try Conversions.one(0x7F80_2001, from: .f32, to: .f16) == 0x7C01)
    #expect(try Conversions.one(0x7FF0_0000_0000_0001, from: .f64, to: .f32) == 0x7FC0_0000)
    #expect(try Conversions.one(0x7D, from: .f8e5m2, to: .f16) == 0x7E00)
  }

  @Test func refusals() {
    var output = [UInt8](repeating: 0, count: 8)
    let input = [UInt8](repeating: 0, count: 8)
    func convert(_ source: DType, _ target: DType, _ count: Int) throws {
      try input.withUnsafeBytes { from in
        try output.withUnsafeMutableBytes { to in
          try Elements.convert(from: source, to: target, source: from, destination: to, count: count)
        }
      }
    }
    #expect(throws: ElementError.unsupported(from: .c64, to: .f64)) { try convert(.c64, .f64, 1) }
    #expect(throws: ElementError.unsupported(from: .i64, to: .c64)) { try convert(.i64, .c64, 1) }
    #expect(throws: ElementError.size(.f32, elements: 3, bytes: 8)) { try convert(.f32, .f32, 3) }
    #expect(throws: ElementError.size(.bf16, elements: 2, bytes: 8)) { try convert(.f32, .bf16, 2) }
    #expect(throws: ElementError.size(.f4, elements: 15, bytes: 8)) { try convert(.f4, .f4, 15) }
    #expect(throws: ElementError.size(.f32, elements: -2, bytes: 8)) { try convert(.f32, .f32, -2) }
    #expect(throws: Never.self) { try convert(.c64, .c64, 1) }
  }
}
