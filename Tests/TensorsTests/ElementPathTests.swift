import Tensors
import TestSupport
import Testing

/// Fast conversions against the plain ones, at every length and offset that a kernel treats apart.
@Suite struct ElementPathTests {
  static let pairs = DType.allCases.flatMap { source in
    DType.allCases.filter { Elements.canConvert(from: source, to: $0) }.map { (source, $0) }
  }

  @Test func everyPairOnRandomBytes() throws {
    var random = SplitMix64(seed: 3)
    let codes = (0..<128).map { _ in random.next() }
    for (source, target) in Self.pairs {
      let mask = UInt64.max >> UInt64(64 - source.bits)
      let masked = codes.map { $0 & mask }
      let fast = try Conversions.convert(masked, from: source, to: target)
      #expect(try Conversions.convert(masked, from: source, to: target, reference: true) == fast, "\(source) \(target)")
    }
  }

  @Test(arguments: [0, 4, 8, 12, 20, 28, 36, 4092, 4096, 4100, 8192, 8204])
  func everyLength(count: Int) throws {
    var random = SplitMix64(seed: 4)
    let codes = (0..<count).map { _ in random.next() }
    let singles = codes.map { $0 & 0xFFFF_FFFF }
    for target in DType.allCases where Elements.canConvert(from: .f32, to: target) {
      let fast = try Conversions.convert(singles, from: .f32, to: target)
      #expect(try Conversions.convert(singles, from: .f32, to: target, reference: true) == fast, "\(target)")
    }
    for (source, target) in [(DType.f16, DType.f8e4m3), (.bf16, .f4), (.f6e3m2, .bf16), (.f4, .f6e2m3)] {
      let masked = codes.map { $0 & UInt64.max >> UInt64(64 - source.bits) }
      let fast = try Conversions.convert(masked, from: source, to: target)
      #expect(try Conversions.convert(masked, from: source, to: target, reference: true) == fast, "\(source) \(target)")
    }
  }

  /// Fewer elements than a vector go through the portable code: one at a time must give what all at once give.
  @Test(arguments: [DType.f16, .bf16]) func portableEqualsVector(half: DType) throws {
    let codes = (0..<UInt64(65536)).map { $0 }
    let wide = try Conversions.convert(codes, from: half, to: .f32)
    let floats = wide.enumerated().map { $1 | UInt64($0 & 0x1FFF) }
    let narrow = try Conversions.convert(floats, from: .f32, to: half)
    for start in stride(from: 0, to: 65536, by: 4) {
      let range = start..<start + 4
      guard try Conversions.convert(Array(codes[range]), from: half, to: .f32) == Array(wide[range]),
        try Conversions.convert(Array(floats[range]), from: .f32, to: half) == Array(narrow[range])
      else { return #expect(Bool(false), "codes \(range)") }
    }
  }

  @Test(arguments: DType.allCases.filter { $0.bits <= 16 }) func exactnessIsWhatConversionsDo(source: DType) throws {
    let codes = (0..<(UInt64(1) << UInt64(source.bits))).map { $0 }
    let bytes = Conversions.pack(codes, source)
    for target in DType.allCases where target != source && Elements.canConvert(from: source, to: target) {
      let there = try Conversions.convert(bytes: bytes, count: codes.count, from: source, to: target)
      let back = try Conversions.convert(bytes: there, count: codes.count, from: target, to: source)
      let exact = back == bytes || Self.differOnlyInNaN(codes, back, source)
      // A NaN that comes back from a type without NaN, or a truth value that isn't 0 or 1, is no exact round trip.
      guard source != .bool, Elements.hasNaN(target) || !Elements.hasNaN(source) else { continue }
      #expect(Elements.isExact(from: source, to: target) == exact, "\(source) \(target)")
    }
  }

  @Test func exactnessOfWideTypes() {
    #expect(Elements.isExact(from: .f32, to: .f64))
    #expect(!Elements.isExact(from: .f64, to: .f32))
    #expect(Elements.isExact(from: .i32, to: .f64))
    #expect(!Elements.isExact(from: .i64, to: .f64))
    #expect(!Elements.isExact(from: .i32, to: .f32))
    #expect(Elements.isExact(from: .u32, to: .i64))
    #expect(!Elements.isExact(from: .u64, to: .i64))
    #expect(!Elements.isExact(from: .f32, to: .i64))
    #expect(Elements.isExact(from: .c64, to: .c64))
    #expect(!Elements.isExact(from: .f32, to: .c64))
    #expect(Elements.isExact(from: .bool, to: .f4))
    #expect(!Elements.isExact(from: .bool, to: .f8e8m0))
    #expect(!Elements.isExact(from: .f8e4m3, to: .f4))
  }

  private static func differOnlyInNaN(_ codes: [UInt64], _ back: [UInt8], _ dtype: DType) -> Bool {
    guard dtype.bits <= 8 else { return false }
    let table = Elements.table(dtype)
    return zip(codes, Conversions.unpack(back, dtype, count: codes.count)).allSatisfy {
      $0 == $1 || (table[Int($0)].isNaN && table[Int($1)].isNaN)
    }
  }
}
