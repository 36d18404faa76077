import BaleFormat
import ByteIO
import Codecs
import Tensors
import TestSupport

/// Tensors in encodings whose bytes can't be made up, each made by its own encoder.
enum EncodedSamples {
  static let encodings: [(encoding: String, shape: [Int])] =
    ["bits2", "base3"].map { ("ternary:group=48,scale=F16,pack=\($0)", [5, 61]) }
    + ["F32", "F16"].flatMap { arithmetic in
      [2, 3, 4].map { ("bilevel:bits=\($0),rows=16,columns=8,stats=3,arithmetic=\(arithmetic)", [35, 42]) }
    }
    + ["replace", "addCompensated"].flatMap { combine in
      [
        ("spqr:combine=\(combine),index=csr", [35, 42]), ("spqr:combine=\(combine),outliers=BF16,bits=4", [16, 300]),
        ("spqr:combine=\(combine),arithmetic=F16,order=permuted,bits=2", [20, 33]),
      ]
    }
    + [("trellis", [40, 33])]
    + residuals
    + GGMLType.allCases.map { ("ggml:type=\($0.name)", [3, 512]) }.filter { (try? CodecRegistry.codec($0.0)) != nil }

  private static let residuals: [(encoding: String, shape: [Int])] = [
    ("residual:codec=trellis,reference=c", [40, 33]), ("residual:codec=ternary,reference=c,group=16", [40, 33]),
    ("residual:codec=int3,reference=c,group=16", [40, 33]), ("residual:codec=bilevel,reference=c,bits=3", [40, 33]),
    ("residual:codec=mxfp4,reference=c", [40, 33]),
  ]

  /// The tensor that residuals stand beside.
  static let reference = "c"

  /// Writes a file of one tensor in one span, and of its reference where it has one.
  static func write(_ encoding: String, _ shape: [Int], to path: String) throws {
    let codec = try CodecRegistry.codec(encoding)
    guard let shape = Shape(shape) else { return }
    let writer = try BaleWriter(path)
    var tensors: [(name: String, codec: any Codec, kind: RecordKind)] = [("w", codec, .tensor)]
    if codec is ResidualCodec { tensors.insert((reference, PlainCodec(.f32), .resident), at: 0) }
    let ids = try tensors.map { name, codec, _ in
      try writer.declare(
        TensorDeclaration(
          name: name, dtype: .f32, shape: shape, encoding: codec.descriptor.description, isLossless: false))
    }
    for (id, (_, codec, kind)) in zip(ids, tensors) {
      let layout = try PartLayout(
        codec: codec, elements: shape.elements, columns: shape.columns, spanElements: oneSpan(codec, shape))
      let range = 0..<shape.dimensions[0]
      try writer.beginRecord(kind, parts: [PartDeclaration(tensor: id, range: range, layout: layout)])
      for (plane, bytes) in try planes(codec, shape).enumerated() {
        try writer.append(try layout.chunk(plane: plane, index: 0, bytes: bytes), part: 0)
      }
      try writer.endRecord()
    }
    _ = try writer.commit()
  }

  private static func oneSpan(_ codec: any Codec, _ shape: Shape) -> Int {
    let alignment = codec.alignment(columns: shape.columns)
    return shape.elements.dividedRoundingUp(by: alignment) * alignment
  }

  private static func planes(_ codec: any Codec, _ shape: Shape) throws -> [[UInt8]] {
    var random = SplitMix64(seed: UInt64(shape.elements))
    let values = (0..<shape.elements).map { _ in Float(random.next() >> 40) / 0x1p23 - 1 }
    switch codec {
    case let codec as ResidualCodec: return try planes(codec.inner, shape)
    case is PlainCodec: return [values.withUnsafeBytes { Array($0) }]
    case let codec as SpQRCodec: return try spqr(codec, values, shape, &random)
    case is TrellisCodec: return trellis(shape, &random)
    case let codec as any VariableCodec:
      return try values.withUnsafeBufferPointer {
        try codec.encode($0, columns: shape.columns, rule: .search)
      }
    case let codec as any QuantizingCodec:
      if let planes = try? encode(codec, values, shape) { return planes }
      fallthrough
    default:
      return codec.planes.indices.map { plane in
        let count = codec.bytes(plane: plane, elements: shape.elements, columns: shape.columns)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      }
    }
  }

  /// Small codes, a few of them escapes, in columns of several steps.
  private static func trellis(_ shape: Shape, _ random: inout SplitMix64) -> [[UInt8]] {
    let exponents = (0..<shape.columns).map { UInt8($0 % 5) }
    var tensor = TrellisCodes(
      rows: shape.elements / shape.columns, columns: shape.columns, step: 0.01, exponents: exponents)
    tensor.classOffset = 6
    for index in tensor.codes.indices {
      let size: UInt64 = random.next() % 50 == 0 ? 60 : 5
      tensor.codes[index] = Int16(random.next() % size) - Int16(size / 2)
    }
    return TrellisEncoder.planes(tensor)
  }

  private static func encode(_ codec: any QuantizingCodec, _ values: [Float], _ shape: Shape) throws -> [[UInt8]] {
    let buffers = codec.planes.indices.map {
      UnsafeMutableRawBufferPointer.allocate(
        byteCount: codec.bytes(plane: $0, elements: values.count, columns: shape.columns), alignment: 16)
    }
    defer { for buffer in buffers { buffer.deallocate() } }
    try values.withUnsafeBufferPointer {
      try codec.encode($0, columns: shape.columns, rule: codec.defaultRule, into: buffers)
    }
    return buffers.map { Array($0) }
  }

  /// One weight in about thirty is an outlier; none in the last row of tiles.
  private static func spqr(
    _ codec: SpQRCodec, _ values: [Float], _ shape: Shape, _ random: inout SplitMix64
  ) throws -> [[UInt8]] {
    let dense = try encode(codec.dense, values, shape)
    let matrix = try dense[0].withUnsafeBytes { codes in
      try dense[1].withUnsafeBytes { scales in
        try dense[2].withUnsafeBytes { second in
          try codec.dense.unpack(
            EncodedSpan(planes: [codes, scales, second], elements: values.count, columns: shape.columns))
        }
      }
    }
    let outliers = (0..<16 * shape.columns).filter { _ in random.next() % 30 == 0 }.map {
      Outlier(position: $0, bits: codec.outlierBits(values[$0] * 3))
    }
    let order = codec.columnOrder == .permuted ? Array((0..<shape.columns).reversed()) : []
    return try codec.pack(SpQRMatrix(dense: matrix, outliers: outliers, permutation: order))
  }
}
