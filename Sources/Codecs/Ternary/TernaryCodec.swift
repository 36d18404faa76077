import ByteIO
import Tensors

/// Values -s, 0 and +s with a scale s for each group of consecutive elements:
/// `ternary:group=64,scale=F16,pack=base3` (specs/codecs/ternary.md).
public struct TernaryCodec: QuantizingCodec, Hashable {
  /// How the codes of a group are stored.
  public enum Packing: String, Sendable, CaseIterable {
    /// Five a byte, digits of base 3, the first the lowest: 1.6 bits a code.
    case base3
    /// Four a byte, two bits each in two's complement, the first the lowest.
    case bits2

    var codesPerByte: Int { self == .base3 ? 5 : 4 }
  }

  public let group: Int
  public let scale: ScalarFloat
  public let packing: Packing

  /// The longest group.
  public static let longestGroup = 1 << 20

  /// Throws `CodecError.descriptor` unless a group has 1 to 2^20 elements.
  public init(group: Int = 64, scale: ScalarFloat = .f16, packing: Packing = .base3) throws(CodecError) {
    guard (1...Self.longestGroup).contains(group) else {
      throw .descriptor("ternary:group=\(group)", reason: "a group has 1 to \(Self.longestGroup) elements")
    }
    self.group = group
    self.scale = scale
    self.packing = packing
  }

  init(_ reader: inout DescriptorReader) throws(CodecError) {
    let group = try reader.integer("group", default: 64, in: 1...Self.longestGroup)
    let scale = try reader.choice("scale", default: ScalarFloat.f16)
    try self.init(group: group, scale: scale, packing: reader.choice("pack", default: Packing.base3))
  }

  public var descriptor: CodecDescriptor {
    CodecDescriptor("ternary", ["group": "\(group)", "scale": scale.rawValue, "pack": packing.rawValue])
  }

  public var planes: [Plane] { [Plane(.codes), Plane(.scales)] }

  public func alignment(columns: Int) -> Int { group }

  public func check(_ shape: Shape) throws(CodecError) { try checkCountable(shape) }

  public func bytes(plane: Int, elements: Int, columns: Int) -> Int {
    if plane == 1 { return elements.dividedRoundingUp(by: group) * scale.bytes }
    return elements / group * codeBytes(group) + codeBytes(elements % group)
  }

  /// Bytes of the codes of one group.
  private func codeBytes(_ elements: Int) -> Int { elements.dividedRoundingUp(by: packing.codesPerByte) }

  public func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    try checkPlanes(input, room: output.count)
    let table = packing == .base3 ? Self.base3Digits : Self.bits2Digits
    let perByte = packing.codesPerByte
    for (index, start) in stride(from: 0, to: input.elements, by: group).enumerated() {
      let count = min(group, input.elements - start)
      let scale = try scale(of: input, index)
      let offset = index * codeBytes(group)
      for element in 0..<count {
        let byte = Int(input.planes[0][offset + element / perByte])
        output[start + element] = Float(table[byte * 5 + element % perByte]) * scale
      }
      try checkBytes(input.planes[0], offset: offset, elements: count)
    }
  }

  public func decodeReference(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    try checkPlanes(input, room: output.count)
    for element in 0..<input.elements {
      let (index, place) = element.quotientAndRemainder(dividingBy: group)
      let offset = index * codeBytes(group) + place / packing.codesPerByte
      guard let code = packing.code(input.planes[0][offset], place % packing.codesPerByte) else {
        throw fault(offset, "it holds no ternary codes")
      }
      output[element] = Float(code) * (try scale(of: input, index))
    }
    for (index, start) in stride(from: 0, to: input.elements, by: group).enumerated() {
      try checkBytes(input.planes[0], offset: index * codeBytes(group), elements: min(group, input.elements - start))
    }
  }

  private func scale(of input: EncodedSpan, _ index: Int) throws(CodecError) -> Float {
    let value = scale.load(input.planes[1], index)
    guard value.isFinite, value.sign == .plus else {
      throw .value(
        codec: "ternary", plane: .scales, offset: index * scale.bytes, reason: "\(value) is not a scale")
    }
    return value
  }

  /// Throws unless every byte of a group holds codes, and those that stand for no element are zero bits or digits.
  private func checkBytes(
    _ codes: UnsafeRawBufferPointer, offset: Int, elements: Int
  ) throws(CodecError) {
    let count = codeBytes(elements)
    for place in 0..<count where !packing.isValid(codes[offset + place]) {
      throw fault(offset + place, "it holds no ternary codes")
    }
    let used = elements - (count - 1) * packing.codesPerByte
    guard count == 0 || packing.isPadded(codes[offset + count - 1], after: used) else {
      throw fault(offset + count - 1, "what follows the last code should be zero")
    }
  }

  private func fault(_ offset: Int, _ reason: String) -> CodecError {
    .value(codec: "ternary", plane: .codes, offset: offset, reason: reason)
  }

  private static let base3Digits = (0..<256).flatMap { byte in
    (0..<5).map { Packing.base3.code(UInt8(byte), $0) ?? 0 }
  }
  private static let bits2Digits = (0..<256).flatMap { byte in
    (0..<5).map { $0 < 4 ? Packing.bits2.code(UInt8(byte), $0) ?? 0 : 0 }
  }
}

extension TernaryCodec.Packing {
  private static let powers = [1, 3, 9, 27, 81, 243]

  /// The code at a place of a byte; nil where the byte holds none.
  func code(_ byte: UInt8, _ place: Int) -> Int8? {
    switch self {
    case .base3: return byte < 243 ? Int8(Int(byte) / Self.powers[place] % 3) - 1 : nil
    case .bits2:
      let bits = byte >> (2 * UInt8(place)) & 3
      return bits == 2 ? nil : bits == 3 ? -1 : Int8(bits)
    }
  }

  /// What a code adds to its byte.
  func bits(_ code: Int, _ place: Int) -> UInt8 {
    switch self {
    case .base3: UInt8((code + 1) * Self.powers[place])
    case .bits2: UInt8(code & 3) << (2 * UInt8(place))
    }
  }

  func isValid(_ byte: UInt8) -> Bool {
    self == .base3 ? byte < 243 : byte & ~(byte << 1) & 0xAA == 0
  }

  /// True if the places from `used` on are zero.
  func isPadded(_ byte: UInt8, after used: Int) -> Bool {
    self == .base3 ? Int(byte) < Self.powers[used] : UInt32(byte) >> (2 * UInt32(used)) == 0
  }
}
