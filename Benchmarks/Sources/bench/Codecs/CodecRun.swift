import Codecs
import Pipeline
import Tensors

/// A codec with a tensor of 16 Mi elements, 64 MiB of F32, in rows of 4096.
/// Threads write disjoint ranges of its planes.
final class CodecRun: @unchecked Sendable {
  static let elements = 16 << 20
  static let columns = 4096
  /// Elements of a tile that stays in the second-level cache, unless the codec needs larger spans.
  private var tile: Int { max(32768, codec.alignment(columns: Self.columns)) }

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
    try encode(rule: codec.defaultRule, threads: isDivisible ? Workers.processors : 1)
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

  /// True if no plane serves the whole tensor, so that runs of it can be encoded apart.
  var isDivisible: Bool { codec.planes.allSatisfy { $0.extent != .whole } }

  /// From BF16, in tiles: widen, encode, as the pipeline does. Each thread takes a run of the tiles.
  func encode(rule: ScaleRule, threads: Int) throws {
    let failure = Monitor((any Error)?.none)
    let share = Self.elements / threads
    Workers.run(threads) { thread in
      do {
        try self.encode(thread * share..<(thread + 1) * share, rule: rule)
      } catch {
        failure.withLock { $0 = error }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
  }

  private func encode(_ elements: Range<Int>, rule: ScaleRule) throws {
    let tile = tile
    let buffer = UnsafeMutableBufferPointer<Float>.allocate(capacity: tile)
    defer { buffer.deallocate() }
    for start in stride(from: elements.lowerBound, to: elements.upperBound, by: tile) {
      let count = min(tile, elements.upperBound - start)
      let values = UnsafeMutableBufferPointer(rebasing: buffer[..<count])
      try Elements.decode(
        .bf16, UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: source[start..<start + count])), into: values)
      try codec.encode(
        UnsafeBufferPointer(values), columns: Self.columns, rule: rule, into: targets(start..<start + count))
    }
  }

  private func targets(_ elements: Range<Int>) -> [UnsafeMutableRawBufferPointer] {
    planes.indices.map { plane in
      if codec.planes[plane].extent == .whole { return planes[plane] }
      let offset = codec.bytes(plane: plane, elements: elements.lowerBound, columns: Self.columns)
      let size = codec.bytes(plane: plane, elements: elements.count, columns: Self.columns)
      return UnsafeMutableRawBufferPointer(rebasing: planes[plane][offset..<offset + size])
    }
  }
}
