import TestSupport
import Testing

@testable import Codecs

@Suite struct IntegerKernelTests {
  static let zeros: [IntegerCodec.Zero] = [.none, .code, .bias(.f16), .bias(.bf16), .bias(.f32)]
  static let scales: [IntegerCodec.Scale] = [
    .float(.f16), .float(.bf16), .float(.f32), .quantized(superblock: 1), .quantized(superblock: 3),
  ]

  @Test(arguments: IntegerCodec.widths, zeros)
  func encodesAndDecodesLikeTheReference(width: Int, zero: IntegerCodec.Zero) throws {
    for scale in Self.scales {
      for grouping in [IntegerCodec.Grouping.elements(64), .elements(16), .elements(13), .row] {
        if grouping == .row, case .quantized = scale { continue }
        let codec = try IntegerCodec(bits: width, grouping: grouping, scale: scale, zero: zero)
        for columns in [192, 75] { try check(codec, columns: columns) }
      }
    }
  }

  private func check(_ codec: IntegerCodec, columns: Int) throws {
    var values = weights(columns * 6, seed: UInt64(columns))
    for index in 0..<columns { values[index] = 0 }
    for index in columns..<columns * 2 { values[index] = abs(values[index]) * 1000 }
    for rule in [ScaleRule.search, .absmax, .range] {
      let fast = try EncodedTensor(codec, values, columns: columns, rule: rule)
      let plain = try EncodedTensor(codec, values, columns: columns, rule: rule, by: codec.encodeReference)
      #expect(fast.planes == plain.planes, "\(codec.descriptor) \(rule) \(columns)")
      let expected = try fast.decodeReference()
      #expect(bits(try fast.decode()) == bits(expected), "\(codec.descriptor) \(rule) \(columns)")
      #expect(try fast.decodeBF16() == expected.map(\.roundedToBF16), "\(codec.descriptor) \(rule) \(columns)")
    }
  }

  /// Codes and scales that no encoder wrote: all bit patterns of F16 scales, random codes.
  @Test(arguments: zeros)
  func decodesForeignBytesLikeTheReference(zero: IntegerCodec.Zero) throws {
    var random = SplitMix64(seed: 9)
    let codec = try IntegerCodec(bits: 4, grouping: .elements(16), zero: zero)
    let patterns = (0..<UInt16.max).filter { Float16(bitPattern: $0).isFinite }
    let elements = patterns.count * 16
    var planes = [
      (0..<elements / 2).map { _ in UInt8.random(in: 0...255, using: &random) },
      patterns.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8)] },
    ]
    if zero != .none {
      let size = codec.bytes(plane: 2, elements: elements, columns: elements)
      planes.append((0..<size).map { $0 % 2 == 0 ? UInt8.random(in: 0...255, using: &random) : 0x41 })
    }
    let tensor = EncodedTensor(codec, planes: planes, elements: elements, columns: elements)
    let expected = try tensor.decodeReference()
    #expect(bits(try tensor.decode()) == bits(expected))
    #expect(try tensor.decodeBF16() == expected.map(\.roundedToBF16))
  }
}
