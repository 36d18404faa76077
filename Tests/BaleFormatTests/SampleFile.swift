import BaleFormat
import ByteIO
import Codecs
import Tensors
import TestSupport

/// A tensor of a test file with the bytes of its planes, and how to write it.
struct SampleTensor {
  var name: String
  var shape: [Int]
  var codec: any Codec
  var dtype: DType?
  /// Decoded bytes of each plane, whole tensor; variable planes by span.
  var compressed: Set<Int> = []
  var spanElements: Int?
  var seed: UInt64

  var declaration: TensorDeclaration {
    TensorDeclaration(
      name: name, dtype: dtype, shape: Shape(shape) ?? .scalar, encoding: codec.descriptor.description,
      isLossless: dtype != nil)
  }

  /// Rows of the first dimension.
  var length: Int { shape.first ?? 1 }

  func layout(_ range: Range<Int>) throws -> PartLayout {
    let shape = Shape(shape) ?? .scalar
    let elements = length == 0 ? 0 : shape.elements / length * range.count
    return try PartLayout(
      codec: codec, elements: elements, columns: shape.columns, compressed: compressed, spanElements: spanElements)
  }

  /// Bytes of a chunk: by rule, different in every chunk. In compressed planes all but the second are constant.
  func bytes(part: Int, plane: Int, chunk: Int, layout: PartLayout) -> [UInt8] {
    let limit = layout.planes[plane].decodedLength(ofChunk: chunk)
    let count = layout.planes[plane].extent == .variable ? limit / 7 : limit
    if compressed.contains(plane) && chunk != 1 { return [UInt8](repeating: UInt8(seed) &+ UInt8(chunk), count: count) }
    var random = SplitMix64(seed: seed &* 1009 &+ UInt64(part * 131 + plane * 17 + chunk))
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
  }
}

/// Writes test files: by rule, the same bytes every time.
enum SampleFile {
  /// Writes a record of whole or partial tensors.
  static func write(
    _ kind: RecordKind, _ parts: [(tensor: SampleTensor, id: TensorID, range: Range<Int>)], to writer: BaleWriter,
    sha256: Bool = false
  ) throws {
    let layouts = try parts.map { try $0.tensor.layout($0.range) }
    try writer.beginRecord(
      kind, parts: zip(parts, layouts).map { PartDeclaration(tensor: $0.id, range: $0.range, layout: $1) })
    for (index, part) in parts.enumerated() {
      let layout = layouts[index]
      for plane in layout.planes.indices {
        for chunk in 0..<layout.planes[plane].chunkCount {
          let bytes = part.tensor.bytes(part: part.range.lowerBound, plane: plane, chunk: chunk, layout: layout)
          try writer.append(
            try layout.chunk(plane: plane, index: chunk, bytes: bytes, sha256: sha256, compress: ConstantFrame.make),
            part: index)
        }
      }
    }
    try writer.endRecord()
  }

  static let plain: [SampleTensor] = [
    SampleTensor(name: "norm", shape: [16], codec: PlainCodec(.bf16), dtype: .bf16, seed: 1),
    SampleTensor(name: "embed", shape: [5, 3], codec: PlainCodec(.f32), dtype: .f32, seed: 2),
    SampleTensor(name: "größe", shape: [], codec: PlainCodec(.f64), dtype: .f64, seed: 3),
    SampleTensor(name: "empty", shape: [0, 4], codec: PlainCodec(.i32), dtype: .i32, seed: 4),
    SampleTensor(
      name: "packed", shape: [40, 64], codec: PlainCodec(.u8), dtype: .u8, compressed: [0], spanElements: 1000, seed: 5),
    SampleTensor(name: "sparse", shape: [8, 32], codec: TestCodec(), spanElements: 48, seed: 6),
  ]

  static let experts: [SampleTensor] = [
    SampleTensor(name: "experts.gate", shape: [2, 4, 32], codec: TestCodec(), spanElements: 48, seed: 7),
    SampleTensor(
      name: "experts.up", shape: [2, 4, 32], codec: TestCodec(hasOutliers: false), compressed: [1], seed: 8),
    SampleTensor(name: "experts.down", shape: [2, 32, 4], codec: PlainCodec(.bf16), dtype: .bf16, seed: 9),
  ]

  static let blob = (0..<300).map { UInt8($0 % 251) }

  /// A file with records of every kind.
  static func write(to path: String, options: BaleWriter.Options = .init(), withExperts: Bool = true) throws
    -> [BaleWriter.Written]
  {
    let writer = try BaleWriter(path, options: options)
    var ids: [String: TensorID] = [:]
    for tensor in plain + experts {
      ids[tensor.name] = withExperts || tensor.length != 2 ? try writer.declare(tensor.declaration) : nil
    }
    for tensor in plain {
      guard let id = ids[tensor.name] else { continue }
      let kind: RecordKind = tensor.name == "norm" ? .resident : .tensor
      try write(kind, [(tensor, id, 0..<tensor.length)], to: writer, sha256: options.sha256)
      if tensor.dtype == nil { try writer.setError(id, relativeMSE: 0.0125, maximum: 0.5) }
    }
    let blob = try writer.addBlob(self.blob)
    for expert in 0..<2 where withExperts {
      let parts = experts.compactMap { tensor in
        ids[tensor.name].map { (tensor: tensor, id: $0, range: expert..<expert + 1) }
      }
      try write(.expert(layer: 3, expert: expert), parts, to: writer, sha256: options.sha256)
    }
    let original = Array(self.blob[..<100]) + [0, 0, 0]
    try writer.addFile(
      name: "config/a.json", size: 103, sha256: SHA256.digest(original), segments: [.blob(blob, 0..<100), .zeros(3)])
    if let norm = ids["norm"] {
      try writer.addFile(
        name: "model.safetensors", size: 232, sha256: [UInt8](repeating: 7, count: 32),
        segments: [.blob(blob, 100..<300), .tensor(norm, 0..<32)])
    }
    return try writer.commit()
  }

  /// A file of one tensor of so many bytes.
  static func writeLarge(bytes: Int, to path: String) throws {
    let tensor = SampleTensor(
      name: "large", shape: [bytes / 1024, 1024], codec: PlainCodec(.u8), dtype: .u8, seed: 10)
    let writer = try BaleWriter(path)
    try write(.tensor, [(tensor, writer.declare(tensor.declaration), 0..<tensor.length)], to: writer)
    _ = try writer.commit()
  }

  /// The bytes of that file.
  static func bytes(withExperts: Bool = true, sha256: Bool = false) throws -> [UInt8] {
    let directory = try TemporaryDirectory()
    var options = BaleWriter.Options()
    options.sha256 = sha256
    _ = try write(to: directory.file("sample.bale"), options: options, withExperts: withExperts)
    return try Fixtures.bytes(directory.file("sample.bale"))
  }

  /// The bytes of the same model in three shards.
  static func setBytes() throws -> [[UInt8]] {
    let directory = try TemporaryDirectory()
    var options = BaleWriter.Options()
    options.shardSize = 35_000
    return try write(to: directory.file("sample.bale"), options: options).map { try Fixtures.bytes($0.path) }
  }
}
