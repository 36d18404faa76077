import ByteIO

/// The table plane of `trellis`: the step of each column and the frequencies of the codes.
public struct TrellisTable: Sendable, Equatable {
  /// Step of a column whose exponent is 0.
  public var step: Float
  /// Class of a column whose exponent is 0; a column's class is `classOffset` - exponent, clamped to 0...11.
  public var classOffset: Int8
  /// Frequencies, by 2 * class + quantizer.
  public var models: [TrellisModel]
  /// One a column, 0...15: its step is `step` * 2^(exponent / 2).
  public var exponents: [UInt8]

  static let classes = 12
  static let largestExponent = 15
  static let headerBytes = 8 + classes * 2 * 4

  public init(step: Float, classOffset: Int8, models: [TrellisModel], exponents: [UInt8]) {
    self.step = step
    self.classOffset = classOffset
    self.models = models
    self.exponents = exponents
  }

  static func bytes(columns: Int) -> Int { headerBytes + columns.dividedRoundingUp(by: 2) }

  /// Class of a column.
  public func columnClass(_ column: Int) -> Int {
    min(max(Int(classOffset) - Int(exponents[column]), 0), Self.classes - 1)
  }

  /// Step of a column: the power of two is exact, times the nearest F32 to the square root of two for odd exponents.
  public func columnStep(_ column: Int) -> Float {
    let exponent = Int(exponents[column])
    let power = Float(sign: .plus, exponent: exponent / 2, significand: 1)
    return step * (exponent % 2 == 0 ? power : power * Float(bitPattern: 0x3FB5_04F3))
  }

  /// The bytes of the plane.
  public var encoded: [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(littleEndian: step.bitPattern)
    bytes.append(UInt8(bitPattern: classOffset))
    bytes.append(contentsOf: [0, 0, 0])
    for model in models { bytes.append(contentsOf: [model.zero, model.one, model.tail, model.largest]) }
    for pair in stride(from: 0, to: exponents.count, by: 2) {
      let high = pair + 1 < exponents.count ? exponents[pair + 1] : 0
      bytes.append(exponents[pair] | high << 4)
    }
    return bytes
  }

  /// Throws `CodecError.value` for a step that is not a positive number, reserved bytes that are not zero, or a model
  /// with codes that don't exist.
  init(parsing bytes: UnsafeRawBufferPointer, columns: Int) throws(CodecError) {
    step = Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt32.self)))
    guard step.isFinite, step > 0, (step * 0x1p22).isFinite else {
      throw .value(
        codec: "trellis", plane: .table, offset: 0, reason: "a step should be a positive number, not \(step)")
    }
    classOffset = Int8(bitPattern: bytes[4])
    guard bytes[5] == 0, bytes[6] == 0, bytes[7] == 0 else {
      throw .value(codec: "trellis", plane: .table, offset: 5, reason: "reserved bytes should be zero")
    }
    models = []
    for offset in stride(from: 8, to: Self.headerBytes, by: 4) {
      guard bytes[offset + 3] <= TrellisModel.escape else {
        throw .value(
          codec: "trellis", plane: .table, offset: offset + 3, reason: "codes end at 15, not \(bytes[offset + 3])")
      }
      models.append(
        TrellisModel(
          zero: bytes[offset], one: bytes[offset + 1], tail: bytes[offset + 2], largest: bytes[offset + 3]))
    }
    exponents = (0..<columns).map { bytes[Self.headerBytes + $0 / 2] >> ($0 % 2 == 0 ? 0 : 4) & 15 }
    guard columns % 2 == 0 || bytes[bytes.count - 1] < 16 else {
      throw .value(
        codec: "trellis", plane: .table, offset: bytes.count - 1, reason: "the last half byte should be zero")
    }
  }
}
