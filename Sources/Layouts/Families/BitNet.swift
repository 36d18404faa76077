import ByteIO
import Codecs
import Tensors

/// BitNet b1.58 as transformers stores it: two bits a code, four quarters of the rows in a byte, and one scale, by which
/// `bitlinear` divides and `autobitlinear` multiplies. Codes are 1 more than -1, 0, 1. A code over a scale is, to the
/// bit, that code times the rounded reciprocal: all are powers of two or 0.
struct BitNet: Layout {
  let name = "BitNet b1.58"

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    let configuration = stored.configuration
    guard [nil, "bitnet"].contains(configuration.method) else { return [] }
    return try stored.ending(".weight").filter { $0.tensor.dtype == .u8 }.compactMap { module, weight in
      guard let scale = stored["\(module).weight_scale"], scale.shape == [1] || scale.shape.isEmpty,
        weight.shape.count == 2
      else { return nil }
      return try tensor(weight, scale, divides: configuration.string("linear_class") != "autobitlinear", stored)
    }
  }

  private func tensor(
    _ weight: StoredTensor, _ scale: StoredTensor, divides: Bool, _ stored: StoredTensors
  ) throws -> LogicalTensor {
    let type = try stored.scalarType(scale, of: weight.name)
    let (rows, columns) = (weight.shape[0], weight.shape[1])
    let shape = try stored.shape([rows * 4, columns], of: weight.name)
    let codec = try stored.naming(weight.name) { () throws(CodecError) in
      try IntegersCodec(bits: 2, grouping: .tensor, scale: divides ? .f32 : type, zero: .code)
    }
    let fields = try stored.naming(weight.name) { () throws(CodecError) in
      try PackedFields(
        rows: rows * 4, columns: columns, field: 2, along: .rows, order: .words, packing: .split, word: 8, words: rows)
    }
    let scales: PlaneSource = divides ? .bytes(try reciprocal(scale, type, stored)) : .stored(scale, .same)
    return LogicalTensor(
      name: weight.name, shape: shape, codec: codec, layout: name,
      planes: [.stored(weight, .packed(fields)), scales, .bytes([1])], companions: divides ? [scale] : [])
  }

  private func reciprocal(_ scale: StoredTensor, _ type: ScalarFloat, _ stored: StoredTensors) throws -> [UInt8] {
    let value = try stored.content(scale).withUnsafeBytes { type.load($0, 0) }
    let bits = (1 / value).bitPattern
    return (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt32($0))) }
  }
}
