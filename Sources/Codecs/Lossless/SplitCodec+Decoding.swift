import Tensors

extension SplitCodec {
  /// Elements of a tile that is joined and then converted, small enough for the first-level cache.
  private static let tile = 1024

  public func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    try decode(input, into: output) { (tile, bytes, values) throws(CodecError) in
      try join(tile, into: bytes)
      try Self.converting { () throws(ElementError) in
        try Elements.decode(dtype, UnsafeRawBufferPointer(bytes), into: values)
      }
    }
  }

  public func decodeReference(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    try decode(input, into: output) { (tile, bytes, values) throws(CodecError) in
      try joinReference(tile, into: bytes)
      try Self.converting { () throws(ElementError) in
        try Elements.convertReference(
          from: dtype, to: .f32, source: UnsafeRawBufferPointer(bytes),
          destination: UnsafeMutableRawBufferPointer(values), count: values.count)
      }
    }
  }

  private typealias TileDecoder = (
    _ tile: EncodedSpan, _ bytes: UnsafeMutableRawBufferPointer, _ values: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) -> Void

  private func decode(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>, by decoder: TileDecoder
  ) throws(CodecError) {
    for (plane, bytes) in zip(planes, input.planes) where bytes.count != input.elements {
      throw .planeSize(codec: "split", plane: plane.role, expected: input.elements, found: bytes.count)
    }
    var joined = [UInt64](repeating: 0, count: Self.tile)
    var failure: CodecError?
    joined.withUnsafeMutableBytes { joined in
      for start in stride(from: 0, to: input.elements, by: Self.tile) where failure == nil {
        let range = start..<min(start + Self.tile, input.elements)
        let planes = input.planes.map { UnsafeRawBufferPointer(rebasing: $0[range]) }
        do throws(CodecError) {
          try decoder(
            EncodedSpan(planes: planes, elements: range.count, columns: input.columns),
            UnsafeMutableRawBufferPointer(rebasing: joined[..<(range.count * dtype.bits / 8)]),
            UnsafeMutableBufferPointer(rebasing: output[range]))
        } catch {
          failure = error
        }
      }
    }
    if let failure { throw failure }
  }

  private static func converting(_ body: () throws(ElementError) -> Void) throws(CodecError) {
    do { try body() } catch {
      throw .value(codec: "split", plane: .exponents, offset: 0, reason: "\(error)")
    }
  }
}
