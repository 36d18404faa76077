import ByteIO

extension SpQRCodec {
  public func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    try inTensorOrder(input, output) { (input, output) throws(CodecError) in
      guard dense.hasKernel else { return try decodeStored(input, into: output) }
      try combine(input, into: output) { (tileRow, height) in
        dense.decodeTileRow(tileRow, height: height, of: input, into: output)
      }
    }
  }

  public func decodeReference(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    try inTensorOrder(input, output, decodeStored)
  }

  private func decodeStored(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    try dense.decodeReference(denseSpan(input), into: output)
    try combine(input, into: output) { _, _ in }
  }

  /// Lets `decode` write values in the order in which columns are stored, and brings them into the tensor's.
  private func inTensorOrder(
    _ input: EncodedSpan, _ output: UnsafeMutableBufferPointer<Float>,
    _ decode: (EncodedSpan, UnsafeMutableBufferPointer<Float>) throws(CodecError) -> Void
  ) throws(CodecError) {
    try checkPlanes(input, room: output.count)
    guard columnOrder == .permuted else { return try decode(input, output) }
    let columns = try permutation(input)
    let stored = UnsafeMutableBufferPointer<Float>.allocate(capacity: input.elements)
    defer { stored.deallocate() }
    try decode(input, stored)
    for start in stride(from: 0, to: input.elements, by: max(input.columns, 1)) {
      for (index, column) in columns.enumerated() { output[start + column] = stored[start + index] }
    }
  }

  /// The tensor's column that each stored column holds; as they come without a permutation.
  /// Throws `CodecError.value` if a column is missing.
  func permutation(_ input: EncodedSpan) throws(CodecError) -> [Int] {
    guard columnOrder == .permuted else { return Array(0..<input.columns) }
    let (plane, size) = (input.planes[6], Self.permutationBytes(input.columns))
    var seen = [Bool](repeating: false, count: input.columns)
    var columns: [Int] = []
    for index in 0..<input.columns {
      let column = Int(plane.littleEndian(at: index * size, bytes: size))
      guard column < input.columns, !seen[column] else {
        throw .value(
          codec: "spqr", plane: .permutation, offset: index * size,
          reason: "column \(column) of \(input.columns) is there twice, or isn't there")
      }
      seen[column] = true
      columns.append(column)
    }
    return columns
  }

  /// The planes of the dense part of a span.
  func denseSpan(_ input: EncodedSpan) -> EncodedSpan {
    EncodedSpan(planes: Array(input.planes.prefix(3)), elements: input.elements, columns: input.columns)
  }

  /// For each row of tiles: lets `decodeDense` write its dense values, then puts its outliers among them while they
  /// are in the cache.
  private func combine(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>, decodeDense: (Int, Int) -> Void
  ) throws(CodecError) {
    try dense.check(denseSpan(input), room: output.count)
    var reader = try OutlierReader(input.planes.dropFirst(3).prefix(3))
    let rows = input.columns == 0 ? 0 : input.elements / input.columns
    for top in stride(from: 0, to: rows, by: dense.tileRows) {
      let height = min(dense.tileRows, rows - top)
      decodeDense(top / dense.tileRows, height)
      let target = UnsafeMutableBufferPointer(rebasing: output[(top * input.columns)...])
      try reader.next(rows: height, columns: input.columns) { (position, bits) in
        let value = outlierValue(bits)
        target[position] = combine == .replace ? value : dense.arithmetic.sum(target[position], value)
      }
    }
    try reader.finish()
  }
}
