import Codecs
import Tensors

/// A codec with a tensor of 16 Mi elements, 64 MiB of F32, in rows of 4096.
final class CodecRun {
  static let elements = 16 << 20
  static let columns = 4096
  /// Elements of a tile that stays in the second-level cache.
  static let tile = 32768

  let name: String
  let codec: any QuantizingCodec
  let source: UnsafeMutableBufferPointer<UInt16>
  let floats: UnsafeMutableBufferPointer<Float>
  private let planes: [UnsafeMutableRawBufferPointer]

  init(_ name: String, source: UnsafeMutableBufferPointer<UInt16>, floats: UnsafeMutableBufferPointer<Float>) throws {
    self.name = name
    guard let codec = try CodecRegistry.codec(name) as? any QuantizingCodec else {
      throw CodecError.descriptor(name, reason: "it doesn't encode")
    }
    self.codec = codec
    self.source = source
    self.floats = floats
    planes = codec.planes.indices.map {
      UnsafeMutableRawBufferPointer.allocate(
        byteCount: codec.bytes(plane: $0, elements: Self.elements, columns: Self.columns), alignment: 64)
    }
  }

  deinit { planes.forEach { $0.deallocate() } }

  private var span: EncodedSpan {
    EncodedSpan(
      planes: planes.map { UnsafeRawBufferPointer($0) }, elements: Self.elements, columns: Self.columns)
  }

  func decode() throws { try codec.decode(span, into: floats) }

  func decodeBF16(into output: UnsafeMutableBufferPointer<UInt16>) throws {
    try codec.decodeBF16(span, into: output)
  }

  /// From BF16, in tiles: widen, encode, as the pipeline does.
  func encode(rule: ScaleRule) throws {
    let tile = UnsafeMutableBufferPointer<Float>.allocate(capacity: Self.tile)
    defer { tile.deallocate() }
    for start in stride(from: 0, to: Self.elements, by: Self.tile) {
      try Elements.decode(
        .bf16, UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: source[start..<start + Self.tile])), into: tile)
      try codec.encode(
        UnsafeBufferPointer(tile), columns: Self.columns, rule: rule,
        into: planes.indices.map { plane in
          let offset = codec.bytes(plane: plane, elements: start, columns: Self.columns)
          let size = codec.bytes(plane: plane, elements: Self.tile, columns: Self.columns)
          return codec.planes[plane].extent == .whole
            ? planes[plane] : UnsafeMutableRawBufferPointer(rebasing: planes[plane][offset..<offset + size])
        })
    }
  }
}
