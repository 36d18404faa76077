import ByteIO
import Tensors

extension DeltaCodec {
  /// The operation whose planes a Huffman code makes smallest on these bytes; nil where neither is smaller by
  /// 2 % than the source's own planes: the base is then not worth needing.
  /// - Parameters:
  ///   - source: whole elements of the dtype.
  ///   - base: as many bytes of the base.
  /// Throws `CodecError.planeSize` if the sizes differ.
  public static func best(dtype: DType, source: ByteBuffer, base: ByteBuffer) throws -> DeltaCodec? {
    guard let split = SplitCodec(dtype) else { return nil }
    let elements = source.count / (dtype.bits / 8)
    let planes = split.planes.map { _ in ByteBuffer(count: elements) }
    let words = ByteBuffer(count: source.count)
    var best: (codec: DeltaCodec?, bits: Int) = (nil, 0)
    try ByteBuffer.withMutableBytes(of: planes) { planes in
      func bits() -> Int { planes.reduce(0) { $0 + HuffmanCost.bits(UnsafeRawBufferPointer($1)) } }
      try source.withBytes { try split.split($0, into: planes) }
      best.bits = bits() / 50 * 49
      for codec in DifferenceOperation.allCases.compactMap({ DeltaCodec(dtype, $0) }) {
        try words.withMutableBytes { words in
          source.withBytes { words.copyMemory(from: $0) }
          try base.withBytes { try codec.split(words, from: $0, into: planes) }
        }
        let found = bits()
        if found < best.bits { best = (codec, found) }
      }
    }
    return best.codec
  }
}
