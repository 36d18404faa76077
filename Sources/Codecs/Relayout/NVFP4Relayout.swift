import Tensors

/// NVFP4 without a factor as planes to NVFP4 as ggml's blocks of 36 bytes: four scale bytes, then for each run of 16
/// elements eight bytes, of which byte j holds element j in its low and element j + 8 in its high nibble
/// (specs/codecs/ggml.md).
struct NVFP4ToGGML: Relayout {
  func run(_ input: EncodedSpan, into planes: [UnsafeMutableRawBufferPointer]) throws(CodecError) {
    let parts = try NVFP4Parts.count(input.elements, columns: input.columns)
    let (codes, scales) = (input.planes[0], input.planes[1])
    for part in 0..<parts {
      let place = NVFP4Parts(part)
      // ggml's scales have no sign, and 0x7F is 0 there.
      guard scales[part] < 0x7F else {
        throw .value(
          codec: "nvfp4", plane: .scales, offset: part, reason: "ggml has no scale \(scales[part]): negative or NaN")
      }
      planes[0][place.scale] = scales[part]
      for j in 0..<4 {
        let (low, high) = (codes[part * 8 + j], codes[part * 8 + 4 + j])
        planes[0][place.codes + 2 * j] = low & 15 | high << 4
        planes[0][place.codes + 2 * j + 1] = low >> 4 | high & 0xF0
      }
    }
  }
}

/// The way back.
struct NVFP4FromGGML: Relayout {
  func run(_ input: EncodedSpan, into planes: [UnsafeMutableRawBufferPointer]) throws(CodecError) {
    let parts = try NVFP4Parts.count(input.elements, columns: input.columns)
    let blocks = input.planes[0]
    for part in 0..<parts {
      let place = NVFP4Parts(part)
      guard blocks[place.scale] < 0x7F else {
        throw .value(
          codec: "ggml:type=NVFP4", plane: .codes, offset: place.scale,
          reason: "the scale byte \(blocks[place.scale]) stands for another number in nvfp4")
      }
      planes[1][part] = blocks[place.scale]
      for j in 0..<4 {
        let (even, odd) = (blocks[place.codes + 2 * j], blocks[place.codes + 2 * j + 1])
        planes[0][part * 8 + j] = even & 15 | odd << 4
        planes[0][part * 8 + 4 + j] = even >> 4 | odd & 0xF0
      }
    }
  }
}

/// Where a run of 16 elements lies in ggml's blocks.
private struct NVFP4Parts {
  let scale: Int
  let codes: Int

  init(_ part: Int) {
    let block = part / 4 * 36
    scale = block + part % 4
    codes = block + 4 + part % 4 * 8
  }

  /// Runs of 16 in a span. ggml has no short block at the end of a row.
  static func count(_ elements: Int, columns: Int) throws(CodecError) -> Int {
    guard columns % 64 == 0, elements % 64 == 0 else {
      throw .shape(codec: "ggml:type=NVFP4", shape: [elements, columns], reason: "a row is not whole blocks of 64")
    }
    return elements / 16
  }
}
