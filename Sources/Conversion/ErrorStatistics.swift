import ByteIO
import CKernels

/// What quantizing cost: gathered span by span while encoding, merged in the order of the spans, so that the figures
/// don't depend on how the work was shared out.
public struct ErrorStatistics: Sendable, Equatable {
  /// Sum of (decoded - original) squared.
  public var squaredError = 0.0
  /// Sum of the original values squared.
  public var squaredNorm = 0.0
  /// Largest |decoded - original|, rounded to F32.
  public var maximumError = 0.0

  public init() {}

  /// squaredError / squaredNorm: 0 where nothing was lost, infinite where something came of nothing.
  public var relativeMSE: Double {
    squaredError == 0 ? 0 : squaredError / squaredNorm
  }

  /// Adds a run of values and what they decode to.
  public mutating func add(original: UnsafeBufferPointer<Float>, decoded: UnsafeBufferPointer<Float>) {
    let sums = bale_measure_error(original.baseAddress, decoded.baseAddress, min(original.count, decoded.count))
    merge(ErrorStatistics(sums))
  }

  /// Adds the figures of the values that follow.
  public mutating func merge(_ next: ErrorStatistics) {
    squaredError += next.squaredError
    squaredNorm += next.squaredNorm
    maximumError = max(maximumError, next.maximumError)
  }

  /// The three figures as F64, little-endian.
  var bytes: [UInt8] {
    [squaredError, squaredNorm, maximumError].reduce(into: []) { $0.append(littleEndian: $1.bitPattern) }
  }

  /// Reads `bytes` back. Nil if the bytes end too early.
  init?(_ cursor: inout ByteCursor) {
    guard let error = cursor.integer(UInt64.self), let norm = cursor.integer(UInt64.self),
      let maximum = cursor.integer(UInt64.self)
    else { return nil }
    squaredError = Double(bitPattern: error)
    squaredNorm = Double(bitPattern: norm)
    maximumError = Double(bitPattern: maximum)
  }

  init?(_ bytes: [UInt8]) {
    var cursor = ByteCursor(bytes)
    self.init(&cursor)
  }

  private init(_ sums: bale_error_sums) {
    squaredError = sums.squared_error
    squaredNorm = sums.squared_norm
    maximumError = sums.maximum_error
  }
}
