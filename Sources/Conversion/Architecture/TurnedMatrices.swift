import Architectures
import ByteIO
import Codecs
import Tensors

/// A stack of matrices in blocks along their rows, read turned over: columns before rows. Only the blocks of the wanted
/// columns are decoded, some rows at a time.
struct TurnedMatrices {
  let reader: SpanReader
  /// Of one stored matrix.
  let matrix: MatrixShape
  /// Of the result.
  let dtype: DType
  /// Columns that are decoded together.
  let block: Int

  /// Stored rows that are turned over at once.
  private static let tileRows = 64

  /// Fills `target` with a run of the turned elements.
  func read(_ elements: Range<Int>, into target: UnsafeMutableRawBufferPointer) throws {
    if dtype == .bf16 {
      return try turn(elements, into: target.bindMemory(to: UInt16.self)) { try reader.codec.decodeBF16($0, into: $1) }
    }
    let values = ByteBuffer(count: elements.count * MemoryLayout<Float>.stride)
    try values.withMutableBytes { bytes in
      try turn(elements, into: bytes.bindMemory(to: Float.self)) { try reader.codec.decode($0, into: $1) }
      try Elements.convert(
        from: .f32, to: dtype, source: UnsafeRawBufferPointer(bytes), destination: target, count: elements.count)
    }
  }

  private typealias Decoder<Value> = (EncodedSpan, UnsafeMutableBufferPointer<Value>) throws -> Void

  private func turn<Value>(
    _ elements: Range<Int>, into target: UnsafeMutableBufferPointer<Value>, decode: Decoder<Value>
  ) throws {
    let area = matrix.rows * matrix.columns
    var done = elements.lowerBound
    while done < elements.upperBound, area > 0 {
      let start = done / area * area
      let wanted = done - start..<min(elements.upperBound - start, area)
      let part = UnsafeMutableBufferPointer(rebasing: target[(done - elements.lowerBound)...].prefix(wanted.count))
      for row in stride(from: 0, to: matrix.rows, by: Self.tileRows) {
        let rows = row..<min(row + Self.tileRows, matrix.rows)
        try turn(rows, ofMatrixAt: start, wanted, into: part, decode)
      }
      done = start + wanted.upperBound
    }
  }

  /// Turns some rows of a matrix, as far as the wanted columns go.
  private func turn<Value>(
    _ rows: Range<Int>, ofMatrixAt start: Int, _ wanted: Range<Int>, into target: UnsafeMutableBufferPointer<Value>,
    _ decode: Decoder<Value>
  ) throws {
    let columns = wanted.lowerBound / matrix.rows..<wanted.upperBound.dividedRoundingUp(by: matrix.rows)
    let blocks = columns.lowerBound / block..<columns.upperBound.dividedRoundingUp(by: block)
    let width = blocks.count * block
    let tile = UnsafeMutableBufferPointer<Value>.allocate(capacity: rows.count * width)
    defer { tile.deallocate() }
    let encoded = try reader.read(start + rows.lowerBound * matrix.columns..<start + rows.upperBound * matrix.columns)
    let planes = encoded.withSpan { cut($0, blocks, rows: rows.count) }
    try EncodedBytes(planes: planes, counts: planes.map(\.count), elements: tile.count, columns: width)
      .withSpan { try decode($0, tile) }
    for column in columns {
      let first = column * matrix.rows + rows.lowerBound
      let low = max(wanted.lowerBound - first, 0)
      let high = min(wanted.upperBound - first, rows.count)
      var from = low * width + column - blocks.lowerBound * block
      for row in low..<max(low, high) {
        target[first - wanted.lowerBound + row] = tile[from]
        from += width
      }
    }
  }

  /// The planes of some blocks of each row.
  private func cut(_ span: EncodedSpan, _ blocks: Range<Int>, rows: Int) -> [ByteBuffer] {
    span.planes.enumerated().map { plane, bytes in
      let size = reader.codec.bytes(plane: plane, elements: block, columns: matrix.columns)
      let row = size * (matrix.columns / block)
      let part = size * blocks.count
      let result = ByteBuffer(count: part * rows)
      result.withMutableBytes { target in
        for index in 0..<rows {
          let from = index * row + blocks.lowerBound * size
          UnsafeMutableRawBufferPointer(rebasing: target[(index * part)...])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[from..<from + part]))
        }
      }
      return result
    }
  }
}
