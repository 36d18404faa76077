import Safetensors
import Tensors
import TestSupport
import Testing

/// The decode tables and encoder results of torch 2.14 and ml_dtypes in `tables/minifloat_tables.safetensors`.
@Suite(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout"))
struct MinifloatFixtureTests {
  private static func tensor(_ name: String) throws -> [UInt8] {
    let file = try SafetensorsFile(Fixtures.shared("fixtures/tables/minifloat_tables.safetensors"))
    return try file.bytes(of: #require(file.header.tensors.first { $0.name == name }))
  }

  private static let names: [(DType, String)] = [
    (.f4, "F4_E2M1"), (.f6e2m3, "F6_E2M3"), (.f6e3m2, "F6_E3M2"), (.f8e4m3, "F8_E4M3"), (.f8e5m2, "F8_E5M2"),
    (.f8e4m3fnuz, "F8_E4M3FNUZ"), (.f8e5m2fnuz, "F8_E5M2FNUZ"), (.f8e8m0, "F8_E8M0"),
  ]

  @Test func decodeTables() throws {
    for (dtype, name) in Self.names {
      let bytes = try Self.tensor("\(name)_decode")
      let expected = Conversions.unpack(bytes, .f32, count: bytes.count / 4)
      #expect(Elements.table(dtype).map { UInt64($0.bitPattern) } == expected, "\(name)")
    }
  }

  /// Torch, but for the NaN of E5M2 (7f there) and negative numbers to E8M0 (their magnitude there).
  @Test func encodesAsTorch() throws {
    for (dtype, name) in Self.names where dtype.bits == 8 {
      let inputs = try Self.tensor("\(name)_enc_in")
      let expected = try Self.tensor("\(name)_enc_torch")
      let found = try Conversions.convert(bytes: inputs, count: expected.count, from: .f32, to: dtype)
      var compared = 0
      for index in expected.indices {
        let value = Float(
          bitPattern: UInt32(Conversions.unpack(Array(inputs[index * 4..<index * 4 + 4]), .f32, count: 1)[0]))
        if (dtype == .f8e5m2 && value.isNaN) || (dtype == .f8e8m0 && value < 0) { continue }
        compared += 1
        guard found[index] == expected[index] else {
          return #expect(found[index] == expected[index], "\(name) \(value)")
        }
      }
      #expect(compared > 1000)
    }
  }

  /// ml_dtypes, but for a NaN with a sign.
  @Test func encodesAsMLDTypes() throws {
    for (dtype, name) in Self.names where dtype.bits < 8 {
      let expected = try Self.tensor("\(name)_enc_ml_dtypes").map { UInt64($0) }
      let inputs = try Conversions.unpack(Self.tensor("\(name)_enc_in"), .f32, count: expected.count)
      let padded = inputs + [UInt64](repeating: 0, count: (4 - inputs.count % 4) % 4)
      let found = try Conversions.convert(padded, from: .f32, to: dtype)
      #expect(Array(found.prefix(expected.count)) == expected, "\(name)")
    }
  }
}
