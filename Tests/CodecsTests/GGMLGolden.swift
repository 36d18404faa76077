import ByteIO
import TestSupport

@testable import Codecs

/// Goldens/ggml.txt, and the inputs that it is about: Scripts/make-ggml-goldens.py has the same rule.
enum GGMLGolden {
  static let columns = 512

  /// Digest by "KIND TYPE ROW".
  static let digests: [String: String] = {
    let path = Fixtures.root + "/Tests/CodecsTests/Goldens/ggml.txt"
    let text = String(decoding: (try? Fixtures.bytes(path)) ?? [], as: UTF8.self)
    return Dictionary(
      uniqueKeysWithValues: text.split(separator: "\n").map { line in
        let fields = line.split(separator: " ")
        return (fields.dropLast().joined(separator: " "), String(fields.last ?? ""))
      })
  }()

  static func digest(_ bytes: [UInt8]) -> String { String(hexadecimal(SHA256.digest(bytes)).prefix(32)) }

  static func digest(_ values: [Float]) -> String { digest(values.withUnsafeBytes(Array.init)) }

  static let values: [Float] = {
    var random = SplitMix64(seed: 7)
    var rows = (0..<4 * columns).map { _ in brain(random.bell() * power(-21)) }
    rows += (0..<2 * columns).map { _ in random.bell() * power(-21) }
    rows += [Float](repeating: 0, count: 256) + [Float](repeating: -0.0, count: 256)
    rows += [Float](repeating: 0.3, count: 128) + [Float](repeating: -0.7, count: 128)
    rows += (0..<256).map { Float($0 % 3 - 1) }
    rows += (0..<columns).map { _ in Float(random.next() % 17) / 4 - 2 }
    rows += (0..<256).map { _ in -1 - Float(random.next() % 1024) * power(-20) }
    rows += (0..<256).map { _ in 1 + Float(random.next() % 1024) * power(-20) }
    rows += (0..<columns).map { random.bell() * power($0 / 16 % 24 - 30) }
    rows += (0..<columns).map { random.bell() * power($0 % 256 == 77 ? -8 : -24) }
    rows += (0..<columns).map { _ in random.next() % 40 == 0 ? random.bell() * power(-18) : 0 }
    rows += (0..<columns).map { _ in Float(Int(random.next() % 255) - 127) * .leastNonzeroMagnitude }
    rows += (0..<columns).map { _ in random.bell() * power(-140) }
    rows += (0..<columns).map { _ in random.bell() * power(-2) }
    return rows
  }()

  static let importance: [Float] = {
    var random = SplitMix64(seed: 9)
    return (0..<columns).map { _ in random.next() % 40 == 0 ? 0 : Float(random.next() % 4096 + 1) / 256 }
  }()

  /// 64 blocks of random bytes with finite scales.
  static func blocks(_ type: GGMLType) -> [UInt8] {
    var random = SplitMix64(seed: UInt64(type.rawValue))
    var bytes = (0..<64 * type.blockBytes).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    for block in 0..<64 {
      for offset in scaleEnds(type) { bytes[block * type.blockBytes + offset] &= 0xBF }
    }
    return bytes
  }

  /// The last byte of each float in a block.
  private static func scaleEnds(_ type: GGMLType) -> [Int] {
    switch type {
    case .iq1_m: [55]
    case .q8_K: [3]
    case .mxfp4: [0]
    default: type.halfOffsets.map { $0 + 1 }
    }
  }

  private static func power(_ exponent: Int) -> Float { Float(sign: .plus, exponent: exponent, significand: 1) }

  private static func brain(_ value: Float) -> Float { Float(bitPattern: UInt32(value.roundedToBF16) << 16) }
}

extension SplitMix64 {
  /// Sum of four 16-bit numbers less its mean: near normal, and exact.
  fileprivate mutating func bell() -> Float {
    let bits = next()
    return Float((0..<4).reduce(-131070) { $0 + Int(bits >> UInt64(16 * $1) & 0xFFFF) })
  }
}
