import Tensors

/// MXFP4 as planes to MXFP4 as ggml's blocks of 17 bytes: the scale byte, then byte j holds element j in its low and
/// element j + 16 in its high nibble (specs/codecs/ggml.md).
struct MXFP4ToGGML: Relayout {
  func run(_ input: EncodedSpan, into planes: [UnsafeMutableRawBufferPointer]) throws(CodecError) {
    let blocks = try MXFP4Blocks.count(input.elements, columns: input.columns)
    let (codes, scales) = (input.planes[0], input.planes[1])
    for block in 0..<blocks {
      planes[0][block * 17] = scales[block]
      for j in 0..<16 {
        let low = MXFP4Blocks.nibble(codes, block * 32 + j)
        planes[0][block * 17 + 1 + j] = low | MXFP4Blocks.nibble(codes, block * 32 + j + 16) << 4
      }
    }
  }
}

/// The way back.
struct MXFP4FromGGML: Relayout {
  func run(_ input: EncodedSpan, into planes: [UnsafeMutableRawBufferPointer]) throws(CodecError) {
    let blocks = try MXFP4Blocks.count(input.elements, columns: input.columns)
    for block in 0..<blocks {
      let bytes = UnsafeRawBufferPointer(rebasing: input.planes[0][block * 17..<block * 17 + 17])
      planes[1][block] = bytes[0]
      for j in 0..<8 {
        planes[0][block * 16 + j] = bytes[1 + 2 * j] & 15 | (bytes[2 + 2 * j] & 15) << 4
        planes[0][block * 16 + 8 + j] = bytes[1 + 2 * j] >> 4 | bytes[2 + 2 * j] & 0xF0
      }
    }
  }
}

private enum MXFP4Blocks {
  /// Blocks of 32 in a span. ggml has no short block at the end of a row.
  static func count(_ elements: Int, columns: Int) throws(CodecError) -> Int {
    guard columns % 32 == 0, elements % 32 == 0 else {
      throw .shape(codec: "ggml:type=MXFP4", shape: [elements, columns], reason: "a row is not whole blocks of 32")
    }
    return elements / 32
  }

  /// Code number `index` of a plane with the low nibble first.
  static func nibble(_ codes: UnsafeRawBufferPointer, _ index: Int) -> UInt8 {
    index % 2 == 0 ? codes[index / 2] & 15 : codes[index / 2] >> 4
  }
}
