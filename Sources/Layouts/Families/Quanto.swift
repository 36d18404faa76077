import ByteIO
import Codecs
import Tensors

/// Optimum Quanto: qint8 is `weight._data` and `weight._scale`; qint4 and qint2 are `weight._data._data`, packed in
/// halves or quarters of the groups with the first in the lowest bits, with a float shift (w = q * scale - shift) or
/// one in codes (w = (q - shift) * scale).
struct Quanto: Layout {
  let name = "Quanto"

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    let packed = try stored.ending("._data._data").filter { $0.tensor.dtype == .u8 }.map {
      try self.packed($0, codes: $1, stored)
    }
    return try packed
      + stored.ending("._data").filter { $0.tensor.dtype == .i8 }.map { try whole($0, codes: $1, stored) }
  }

  private func whole(_ weight: String, codes: StoredTensor, _ stored: StoredTensors) throws -> LogicalTensor {
    let scale = try stored.required("\(weight)._scale", of: weight)
    let (rows, columns) = try stored.matrix(codes, of: weight)
    let type = try stored.scalarType(scale, of: weight)
    let grouping = try stored.grouping(by: scale, rows: rows, columns: columns, configured: nil, of: weight)
    let codec = try stored.naming(weight) { () throws(CodecError) in
      try IntegerForm.codec(bits: 8, grouping: grouping, scale: type, zero: .none)
    }
    return LogicalTensor(
      name: weight, shape: try stored.shape(codes.shape, of: weight), codec: codec, layout: "\(name) qint8",
      planes: [.stored(codes, .same), .stored(scale, .same)])
  }

  private func packed(_ weight: String, codes: StoredTensor, _ stored: StoredTensors) throws -> LogicalTensor {
    let scale = try stored.required("\(weight)._scale", of: weight)
    let shift = try stored.required("\(weight)._shift", of: weight)
    let type = try stored.scalarType(scale, of: weight)
    let (packedRows, group) = try stored.matrix(codes, of: weight)
    let groups = scale.shape.reduce(1) { $0.multiplied(by: $1) ?? .max }
    guard group > 0, let bits = [4, 2].first(where: { groups.dividedRoundingUp(by: 8 / $0) == packedRows }) else {
      throw stored.fault(
        .shape(stored: codes.name, found: codes.shape, expected: "halves or quarters of \(groups) groups"), weight)
    }
    try stored.check(shift, scale.shape, of: weight)
    let shape = try shape(weight, groups: groups, group: group, stored)
    let zero: IntegersCodec.Zero = shift.dtype == .u8 ? .code : .bias(try stored.scalarType(shift, of: weight))
    let codec = try stored.naming(weight) { () throws(CodecError) in
      try IntegerForm.codec(
        bits: bits, grouping: shape.columns % group == 0 ? .elements(group) : .flat(group), scale: type, zero: zero)
    }
    let forms = try stored.naming(weight) { () throws(CodecError) in
      (
        try PackedFields(
          rows: groups, columns: group, field: bits, along: .rows, order: .words, packing: .split, word: 8,
          words: packedRows), try Self.negated(shift, count: groups)
      )
    }
    return LogicalTensor(
      name: weight, shape: shape, codec: codec, layout: "\(name) qint\(bits)",
      planes: [.stored(codes, .packed(forms.0)), .stored(scale, .same), .stored(shift, forms.1)])
  }

  /// A float shift is subtracted: its sign is turned over to make a bias of it.
  private static func negated(_ shift: StoredTensor, count: Int) throws(CodecError) -> Arrangement.Form {
    if shift.dtype == .u8 { return .same }
    let bits = shift.dtype.bits
    return .packed(
      try PackedFields(rows: count, columns: 1, field: bits, word: bits, change: .flip(1 << UInt32(bits - 1))))
  }

  /// The file doesn't say how long a row is: the bias says how many there are, and without one a row is a group.
  private func shape(
    _ weight: String, groups: Int, group: Int, _ stored: StoredTensors
  ) throws(LayoutError) -> Shape {
    let total = try stored.shape([groups, group], of: weight)
    let bias = weight.hasSuffix(".weight") ? stored["\(weight.dropLast(6))bias"] : nil
    guard let outputs = bias?.shape.first, bias?.shape.count == 1, outputs > 0, total.elements % outputs == 0 else {
      return total
    }
    return try stored.shape([outputs, total.elements / outputs], of: weight)
  }
}
