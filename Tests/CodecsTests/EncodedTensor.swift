import Tensors
import TestSupport

@testable import Codecs

/// A tensor in memory in its encoded form, for tests.
struct EncodedTensor {
  let codec: any Codec
  var planes: [[UInt8]]
  let elements: Int
  let columns: Int

  init(_ codec: any Codec, planes: [[UInt8]], elements: Int, columns: Int) {
    self.codec = codec
    self.planes = planes
    self.elements = elements
    self.columns = columns
  }

  /// Encodes by `encode`, or by any other function of its form.
  init(
    _ codec: any QuantizingCodec, _ values: [Float], columns: Int, rule: ScaleRule = .search, by encode: Encode? = nil
  ) throws {
    self.init(
      codec,
      planes: codec.planes.indices.map {
        [UInt8](repeating: 0xA5, count: codec.bytes(plane: $0, elements: values.count, columns: columns))
      }, elements: values.count, columns: columns)
    let encode = encode ?? codec.encode
    let buffers = planes.map { plane in
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: plane.count, alignment: 64)
      buffer.copyBytes(from: plane)
      return buffer
    }
    defer { buffers.forEach { $0.deallocate() } }
    try values.withUnsafeBufferPointer { try encode($0, columns, rule, buffers) }
    planes = buffers.map { Array($0) }
  }

  typealias Encode = (UnsafeBufferPointer<Float>, Int, ScaleRule, [UnsafeMutableRawBufferPointer]) throws -> Void

  private func withSpan<T>(_ body: (EncodedSpan) throws -> T) rethrows -> T {
    let buffers = planes.map { plane in
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: plane.count, alignment: 1)
      buffer.copyBytes(from: plane)
      return UnsafeRawBufferPointer(buffer)
    }
    defer { buffers.forEach { $0.deallocate() } }
    return try body(EncodedSpan(planes: buffers, elements: elements, columns: columns))
  }

  func decode() throws -> [Float] {
    try withSpan { span in
      try [Float](unsafeUninitializedCapacity: elements) { output, count in
        try codec.decode(span, into: UnsafeMutableBufferPointer(rebasing: output[..<elements]))
        count = elements
      }
    }
  }

  func decodeReference() throws -> [Float] {
    try withSpan { span in
      try [Float](unsafeUninitializedCapacity: elements) { output, count in
        try codec.decodeReference(span, into: UnsafeMutableBufferPointer(rebasing: output[..<elements]))
        count = elements
      }
    }
  }

  func decodeBF16() throws -> [UInt16] {
    try withSpan { span in
      try [UInt16](unsafeUninitializedCapacity: elements) { output, count in
        try codec.decodeBF16(span, into: UnsafeMutableBufferPointer(rebasing: output[..<elements]))
        count = elements
      }
    }
  }
}

/// Bit patterns, so that -0, 0 and NaN count as different.
func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }

/// Sum of squared errors over the sum of squares.
func relativeError(_ found: [Float], _ expected: [Float]) -> Double {
  var (error, energy) = (0.0, 0.0)
  for (a, b) in zip(found, expected) {
    error += (Double(a) - Double(b)) * (Double(a) - Double(b))
    energy += Double(b) * Double(b)
  }
  return error / energy
}

/// Normal numbers with the spread of trained weights, a little heavier in the tails, as BF16 would hold them.
func weights(_ count: Int, seed: UInt64) -> [Float] {
  var random = SplitMix64(seed: seed)
  return (0..<count).map { _ in
    let value = Float(random.normal() * 0.02)
    return Float(bitPattern: UInt32(value.roundedToBF16) << 16)
  }
}
