import ByteIO
import Codecs
import Tensors

/// AQLM: `codes` [outputs / rows, inputs / group, books], `codebooks` [books, 2^bits, rows, group], `scales`
/// [outputs / rows, 1, 1, 1].
struct AQLM: Layout {
  let name = "AQLM"

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    try stored.ending(".codebooks").filter { $0.tensor.shape.count == 4 }.map { module, books in
      try tensor("\(module).weight", module, books, stored)
    }
  }

  private func tensor(
    _ weight: String, _ module: String, _ books: StoredTensor, _ stored: StoredTensors
  ) throws -> LogicalTensor {
    let codes = try stored.required("\(module).codes", of: weight)
    let scales = try stored.required("\(module).scales", of: weight)
    let (count, size, rows, group) = (books.shape[0], books.shape[1], books.shape[2], books.shape[3])
    let bits = max(size, 1).trailingZeroBitCount
    guard size == 1 << bits, codes.shape.count == 3, codes.shape[2] == count else {
      throw stored.fault(
        .shape(stored: codes.name, found: codes.shape, expected: "[outputs, groups, \(count)], of 2^n codes"), weight)
    }
    try stored.check(codes, bits > 8 ? [.i16, .u16] : [.i8, .u8], of: weight)
    let bands = codes.shape[0]
    guard let outputs = bands.multiplied(by: rows) else {
      throw stored.fault(.value("its outputs can't be counted"), weight)
    }
    guard scales.shape.first == bands, scales.shape.dropFirst().allSatisfy({ $0 == 1 }) else {
      throw stored.fault(.shape(stored: scales.name, found: scales.shape, expected: "[\(bands), 1, 1, 1]"), weight)
    }
    let type = try stored.scalarType(scales, of: weight)
    try stored.check(books, [type.dtype], of: weight)
    let shape = try stored.shape([outputs, codes.shape[1]], times: group, of: weight)
    let codec = try stored.naming(weight) { () throws(CodecError) in
      try AdditiveCodec(group: group, rows: rows, books: count, bits: bits, scale: type)
    }
    return LogicalTensor(
      name: weight, shape: shape, codec: codec, layout: "AQLM \(count)x\(bits)",
      planes: [.stored(codes, .same), .stored(scales, .same), .stored(books, .same)])
  }
}
