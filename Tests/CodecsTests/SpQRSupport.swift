import TestSupport

@testable import Codecs

/// Calls `body` with a span over byte arrays.
func withSpan<R>(
  _ planes: [[UInt8]], elements: Int, columns: Int, _ body: (EncodedSpan) throws -> R
) rethrows -> R {
  let bytes = planes.flatMap { $0 }
  return try bytes.withUnsafeBytes { all in
    var offset = 0
    let views = planes.map { plane in
      defer { offset += plane.count }
      return UnsafeRawBufferPointer(rebasing: all[offset..<offset + plane.count])
    }
    return try body(EncodedSpan(planes: views, elements: elements, columns: columns))
  }
}

extension Codec {
  /// The bit patterns that the fast kernel, or the reference, decodes.
  func bitPatterns(_ planes: [[UInt8]], rows: Int, columns: Int, reference: Bool = false) throws -> [UInt32] {
    try values(planes, rows: rows, columns: columns, reference: reference).map(\.bitPattern)
  }

  func values(_ planes: [[UInt8]], rows: Int, columns: Int, reference: Bool = false) throws -> [Float] {
    try withSpan(planes, elements: rows * columns, columns: columns) { span in
      var output = [Float](repeating: .nan, count: rows * columns)
      try output.withUnsafeMutableBufferPointer {
        if reference { try decodeReference(span, into: $0) } else { try decode(span, into: $0) }
      }
      return output
    }
  }
}

extension SplitMix64 {
  /// Planes of random codes with finite statistics.
  mutating func bilevelPlanes(_ codec: BilevelCodec, rows: Int, columns: Int) -> [[UInt8]] {
    var planes = (0..<3).map { plane in
      (0..<codec.bytes(plane: plane, elements: rows * columns, columns: columns)).map { _ in
        UInt8(truncatingIfNeeded: next())
      }
    }
    for high in stride(from: 1, to: planes[2].count, by: 2) where planes[2][high] & 0x7C == 0x7C {
      planes[2][high] &= ~0x40
    }
    return planes
  }

  mutating func normals(_ count: Int) -> [Float] { (0..<count).map { _ in Float(normal()) } }
}
