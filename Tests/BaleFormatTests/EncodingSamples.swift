import BaleFormat
import ByteIO
import Codecs
import Tensors
import TestSupport

/// Files with a tensor in each encoding, their planes made by rule: codes at random, scales and the like at random
/// among finite numbers.
enum EncodingSamples {
  struct Sample: Sendable {
    var encoding: String
    var shape: [Int]
    var spanElements: Int?

    init(_ encoding: String, _ shape: [Int], span: Int? = nil) {
      self.encoding = encoding
      self.shape = shape
      spanElements = span
    }
  }

  /// Golden files, by name. What a file holds never changes; a new family of encodings gets a file of its own.
  static let files: [String: [Sample]] = ["v1-encodings": blocks, "v1-tables": tables]

  private static let blocks: [Sample] =
    ["F32", "F16", "BF16", "F8_E4M3", "F8_E5M2", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F8_E8M0"].map {
      Sample("plain:dtype=\($0)", [5, 61], span: 64)
    }
    + ["F4", "F6_E2M3", "F6_E3M2"].map { Sample("plain:dtype=\($0)", [4, 20]) }
    + ["mxfp4", "mxfp6e2m3", "mxfp6e3m2", "mxfp8e4m3", "mxfp8e5m2"].flatMap {
      [Sample($0, [3, 96], span: 64), Sample($0, [3, 41])]
    }
    + [2, 3, 4, 5, 6, 8].flatMap { bits in
      [
        Sample("int\(bits):group=32,scale=F16,zero=none", [3, 96], span: 64),
        Sample("int\(bits):group=16,scale=BF16,zero=code", [3, 43]),
      ]
    }
    + [
      Sample("int4:group=row,scale=F32,zero=F16", [4, 33], span: 66),
      Sample("int8:group=column,scale=F32,zero=BF16", [4, 33], span: 66),
      Sample("int4:group=16,scale=U8,zero=none,second=2", [4, 64], span: 64),
      Sample("int3:group=16,scale=U8,zero=F32,second=4", [3, 72]),
    ]
    + ["F16", "BF16", "F32"].map { Sample("split:dtype=\($0)", [5, 61], span: 64) }

  private static let tables: [Sample] = ["nf4", "fp4"].flatMap {
    [Sample("\($0):block=64", [5, 61]), Sample("\($0):block=32,second=4", [7, 61], span: 128)]
  }

  /// Writes them in order of the list, named by their encoding and shape.
  static func write(_ samples: [Sample], to path: String) throws {
    let writer = try BaleWriter(path)
    for (index, sample) in samples.enumerated() {
      let codec = try CodecRegistry.codec(sample.encoding)
      let shape = Shape(sample.shape) ?? .scalar
      let id = try writer.declare(
        TensorDeclaration(
          name: name(sample), dtype: .f32, shape: shape, encoding: codec.descriptor.description, isLossless: false))
      let layout = try PartLayout(
        codec: codec, elements: shape.elements, columns: shape.columns, spanElements: sample.spanElements)
      try writer.beginRecord(
        .tensor, parts: [PartDeclaration(tensor: id, range: 0..<sample.shape[0], layout: layout)])
      var random = SplitMix64(seed: UInt64(index))
      for (number, plane) in layout.planes.enumerated() {
        for chunk in 0..<plane.chunkCount {
          let bytes = bytes(plane, chunk: chunk, codec: codec, &random)
          try writer.append(try layout.chunk(plane: number, index: chunk, bytes: bytes), part: 0)
        }
      }
      try writer.endRecord()
    }
    _ = try writer.commit()
  }

  static func name(_ sample: Sample) -> String {
    sample.encoding + " " + sample.shape.map(String.init).joined(separator: "x")
  }

  private static func bytes(
    _ plane: PlaneLayout, chunk: Int, codec: any Codec, _ random: inout SplitMix64
  ) -> [UInt8] {
    let count = plane.decodedLength(ofChunk: chunk)
    func parameter(_ key: String) -> String? { codec.descriptor.parameters.first { $0.key == key }?.value }
    var bytes = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    switch plane.role {
    case .scales where codec.descriptor.name.hasPrefix("mx"): bytes = bytes.map { 100 + $0 % 50 }
    case .scales: tame(&bytes, parameter("scale"))
    case .zeroPoints: tame(&bytes, parameter("zero"))
    case .secondLevel, .table: tame(&bytes, "F32")
    default: break
    }
    return bytes
  }

  /// Makes the top byte of each float one of a number near 1.
  private static func tame(_ bytes: inout [UInt8], _ type: String?) {
    guard let size = ["F16": 2, "BF16": 2, "F32": 4][type ?? ""] else { return }
    for top in stride(from: size - 1, to: bytes.count, by: size) { bytes[top] = 0x38 | bytes[top] & 0x83 }
  }
}
