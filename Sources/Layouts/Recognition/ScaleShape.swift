import ByteIO
import Codecs

extension StoredTensors {
  /// What shares a scale, from the shape of a tensor of scales: one in all, one a row, or several a row, whose length
  /// is the configuration's where that fits. Throws `LayoutError` on any other shape.
  func grouping(
    by scales: StoredTensor, rows: Int, columns: Int, configured: Int?, of logical: String
  ) throws(LayoutError) -> IntegersCodec.Grouping {
    let count = scales.shape.reduce(1) { $0.multiplied(by: $1) ?? .max }
    if count == rows { return .row }
    if count == 1 { return .tensor }
    guard let groups = scales.shape.last, groups > 0, rows.multiplied(by: groups) == count else {
      throw fault(
        .shape(
          stored: scales.name, found: scales.shape, expected: "a scale for each of \(rows) rows, or groups of them"),
        logical)
    }
    if let configured, configured > 0, columns.dividedRoundingUp(by: configured) == groups {
      return .elements(configured)
    }
    guard columns % groups == 0 else {
      throw fault(.disagreement("\(groups) groups of \(columns) columns have no one length"), logical)
    }
    return .elements(columns / groups)
  }

  /// The rows and columns of a stored matrix, or of a stack of them seen as one.
  func matrix(_ tensor: StoredTensor, of logical: String) throws(LayoutError) -> (rows: Int, columns: Int) {
    guard tensor.shape.count >= 2, let columns = tensor.shape.last,
      let rows = tensor.shape.dropLast().reduce(Optional(1), { $0?.multiplied(by: $1) })
    else {
      throw fault(.shape(stored: tensor.name, found: tensor.shape, expected: "a matrix"), logical)
    }
    return (rows, columns)
  }

  /// The little-endian integers of a tensor that describes others. Throws `LayoutReason.dtype` for one of floats.
  func integers(_ tensor: StoredTensor, of logical: String) throws -> [Int] {
    try check(tensor, [.i64, .u64, .i32, .u32, .i16, .u16, .i8, .u8, .bool], of: logical)
    let (bytes, size) = (try content(tensor), tensor.dtype.bits / 8)
    return stride(from: 0, to: bytes.count - size + 1, by: size).map { start in
      let bits = bytes.littleEndian(at: start, bytes: size)
      let spare = UInt64(64 - 8 * size)
      return [.i64, .i32, .i16, .i8].contains(tensor.dtype)
        ? Int(Int64(bitPattern: bits << spare) >> Int64(spare)) : Int(truncatingIfNeeded: bits)
    }
  }
}
