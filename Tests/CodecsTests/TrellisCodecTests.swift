import Codecs
import Tensors
import TestSupport
import Testing

@Suite struct TrellisCodecTests {
  /// Codes of a Gaussian source, searched with fresh models twice.
  static func gaussian(rows: Int, columns: Int, step: Float, seed: UInt64) -> (codes: TrellisCodes, values: [Float]) {
    var random = SplitMix64(seed: seed)
    let values = (0..<rows * columns).map { _ in Float(random.normal()) }
    var codes = TrellisCodes(
      rows: rows, columns: columns, step: step, exponents: [UInt8](repeating: 0, count: columns))
    codes.classOffset = 5
    var costs = TrellisCosts()
    var odd = costs
    for _ in 0..<3 {
      var search = TrellisSearch(rows: rows, lambda: 0.15)
      for column in 0..<columns {
        let scaled = values[column * rows..<(column + 1) * rows].map { $0 / step }
        codes.codes.withUnsafeMutableBufferPointer { target in
          scaled.withUnsafeBufferPointer {
            search.quantize(
              $0, even: costs, odd: odd,
              into: UnsafeMutableBufferPointer(rebasing: target[column * rows..<(column + 1) * rows]))
          }
        }
      }
      let models = TrellisEncoder.models(codes)
      costs = TrellisCosts(models[10])
      odd = TrellisCosts(models[11])
    }
    return (codes, values)
  }

  static func decode(
    _ planes: [[UInt8]], rows: Int, columns: Int, reference: Bool
  ) throws -> [Float] {
    var output = [Float](repeating: .nan, count: rows * columns)
    try planes[0].withUnsafeBytes { codes in
      try planes[1].withUnsafeBytes { table in
        try output.withUnsafeMutableBufferPointer { out in
          let span = EncodedSpan(planes: [codes, table], elements: rows * columns, columns: columns)
          if reference {
            try TrellisCodec().decodeReference(span, into: out)
          } else {
            try TrellisCodec().decode(span, into: out)
          }
        }
      }
    }
    return output
  }

  @Test func decodesWhatItsEncoderMeant() throws {
    let (codes, _) = Self.gaussian(rows: 96, columns: 40, step: 0.6, seed: 1)
    let planes = TrellisEncoder.planes(codes)
    let decoded = try Self.decode(planes, rows: 96, columns: 40, reference: true)
    let meant = TrellisEncoder.values(codes)
    for row in 0..<96 { for column in 0..<40 { #expect(decoded[row * 40 + column] == meant[column * 96 + row]) } }
    #expect(
      try Self.decode(planes, rows: 96, columns: 40, reference: false).map(\.bitPattern) == decoded.map(\.bitPattern))
  }

  /// A Gaussian of variance 1 at R bits can't have less error than 2^-2R; this code is to come within 0.17 bits.
  @Test func comesNearTheRateDistortionBound() {
    let (codes, values) = Self.gaussian(rows: 512, columns: 32, step: 0.55, seed: 2)
    let bits = TrellisEncoder.codeBits(codes, models: TrellisEncoder.models(codes)) / Double(values.count)
    let decoded = TrellisEncoder.values(codes)
    let error = zip(values, decoded).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) } / Double(values.count)
    let bound = -0.5 * BinaryLogarithm.of(error)
    #expect(bits > bound)
    #expect(bits < bound + 0.17, "\(bits) bits, bound \(bound)")
  }

  @Test func codeBitsAreWhatIsWritten() {
    let (codes, _) = Self.gaussian(rows: 512, columns: 32, step: 0.5, seed: 3)
    let written = Double(TrellisEncoder.planes(codes)[0].count - 36) * 8
    let predicted = TrellisEncoder.codeBits(codes, models: TrellisEncoder.models(codes))
    #expect(abs(written - predicted) < predicted * 0.005 + 128)
  }

  /// Escapes, every exponent, and more than one unit.
  @Test func coversEveryCodeAndManyUnits() throws {
    let columns = 32
    let rows = 8192 * 2 + 100
    var codes = TrellisCodes(
      rows: rows, columns: columns, step: 0x1p-3, exponents: (0..<columns).map { UInt8($0 % 16) })
    codes.classOffset = 13
    var random = SplitMix64(seed: 4)
    for index in codes.codes.indices where random.next() % 8 == 0 {
      codes.codes[index] = Int16.random(in: random.next() % 16 == 0 ? -4110...4110 : -3...3, using: &random)
    }
    let planes = TrellisEncoder.planes(codes)
    #expect(planes[0].count <= TrellisCodec().bytes(plane: 0, elements: rows * columns, columns: columns))
    let decoded = try Self.decode(planes, rows: rows, columns: columns, reference: false)
    let meant = TrellisEncoder.values(codes)
    let equal = (0..<rows).allSatisfy { row in
      (0..<columns).allSatisfy { decoded[row * columns + $0] == meant[$0 * rows + row] }
    }
    #expect(equal)
    #expect(try Self.decode(planes, rows: rows, columns: columns, reference: true) == decoded)
  }

  @Test func everyModelSumsTo4096() {
    for zero in stride(from: 0, through: 255, by: 15) {
      for one in stride(from: 0, through: 255, by: 17) {
        for largest in 0...15 {
          let model = TrellisModel(zero: UInt8(zero), one: UInt8(one), tail: UInt8(one), largest: UInt8(largest))
          #expect(model.frequencies.reduce(0, +) == 4096)
          #expect(model.frequencies.allSatisfy { $0 > 0 })
          #expect(model.frequencies.count == 2 * largest + 1)
        }
      }
    }
  }

  /// The example of specs/codecs/trellis.md.
  @Test func goldenExample() throws {
    var codes = TrellisCodes(rows: 3, columns: 2, step: 0.5, exponents: [0, 1])
    codes.classOffset = 4
    codes.codes = [1, 0, -2, 0, 3, 1]
    let planes = TrellisEncoder.planes(codes)
    let meant: [Float] = [1, 0, 0, 4.2426405, -1.5, 1.4142135]
    #expect(try Self.decode(planes, rows: 3, columns: 2, reference: true) == meant)
    #expect(
      TestHex.text(planes[0]) == "20 00 00 00 c0 fb 03 00 60 01 03 00 20 00 02 00 6a fd 0b 00 42 08 02 00 7a f7 05 00 "
        + "00 00 01 00 00 00 01 00")
    let models = "55 80 80 03 00 00 00 00 80 ff 00 01 00 00 ff 02"
    let zeros = { (count: Int) in [String](repeating: "00", count: count).joined(separator: " ") }
    #expect(TestHex.text(planes[1]) == "00 00 00 3f 04 00 00 00 \(zeros(24)) \(models) \(zeros(56)) 10")
  }

  @Test func refusesDamage() throws {
    let (codes, _) = Self.gaussian(rows: 64, columns: 16, step: 0.6, seed: 5)
    let planes = TrellisEncoder.planes(codes)
    func refused(_ change: (inout [[UInt8]]) -> Void) -> Bool {
      var damaged = planes
      change(&damaged)
      do {
        let fast = try Self.decode(damaged, rows: 64, columns: 16, reference: false)
        #expect(try Self.decode(damaged, rows: 64, columns: 16, reference: true) == fast)
        return false
      } catch {
        #expect(throws: CodecError.self) { try Self.decode(damaged, rows: 64, columns: 16, reference: true) }
        return true
      }
    }
    #expect(refused { $0[0].removeLast(2) })
    #expect(refused { $0[0].append(contentsOf: [0, 0]) })
    #expect(refused { $0[0][0] ^= 2 })
    #expect(refused { $0[0] = [] })
    #expect(refused { $0[0] = [UInt8](repeating: 255, count: 36) })
    #expect(refused { $0[1][3] = 0xFF })
    #expect(refused { $0[1][3] |= 0x80 })
    #expect(refused { $0[1][6] = 1 })
    #expect(refused { $0[1][11] = 16 })
    #expect(refused { $0[1].removeLast() })
    #expect(refused { $0[0][4] ^= 1 })
    // Other flips may give another valid run of codes; both decoders must agree on it.
    for byte in stride(from: 5, to: planes[0].count, by: 7) { _ = refused { $0[0][byte] ^= 0x10 } }
  }
}

enum TestHex {
  static func text(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
  }
}
