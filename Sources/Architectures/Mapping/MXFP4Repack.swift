import Codecs

/// MXFP4 between the layout of gpt-oss and ggml's. gpt-oss keeps 16 code bytes a block, elements 2j and 2j + 1 in the
/// low and high half of byte j, and the scale bytes in a tensor of their own. A ggml block is the scale byte and 16 code
/// bytes, elements j and j + 16 in byte j. Codes and scales stay as they are (specs/architectures.md, "MXFP4").
public enum MXFP4Repack {
  /// Code bytes of a block of 32 elements.
  public static let codeBytes = 16

  /// Weaves `scales.count` blocks. The buffers hold 16, 1 and 17 bytes a block; false, and nothing written, if not.
  public static func blocks(
    codes: UnsafeRawBufferPointer, scales: UnsafeRawBufferPointer, into blocks: UnsafeMutableRawBufferPointer
  ) -> Bool {
    let count = scales.count
    let blockBytes = GGMLType.mxfp4.blockBytes
    guard codes.count / codeBytes == count, codes.count % codeBytes == 0, blocks.count / blockBytes == count,
      blocks.count % blockBytes == 0
    else { return false }
    for block in 0..<count {
      let (source, target) = (block * codeBytes, block * blockBytes)
      blocks[target] = scales[block]
      for pair in 0..<8 {
        let (low, high) = (codes[source + pair], codes[source + 8 + pair])
        blocks[target + 1 + 2 * pair] = low & 0x0F | high << 4
        blocks[target + 2 + 2 * pair] = low >> 4 | high & 0xF0
      }
    }
    return true
  }

  /// The code bytes of whole ggml blocks: the inverse of `blocks`. False, and nothing written, if the sizes don't fit.
  public static func codes(
    of blocks: UnsafeRawBufferPointer, into codes: UnsafeMutableRawBufferPointer
  ) -> Bool {
    let blockBytes = GGMLType.mxfp4.blockBytes
    let count = blocks.count / blockBytes
    guard blocks.count % blockBytes == 0, codes.count == count * codeBytes else { return false }
    for block in 0..<count {
      let (source, target) = (block * blockBytes + 1, block * codeBytes)
      for pair in 0..<8 {
        let (first, second) = (blocks[source + 2 * pair], blocks[source + 2 * pair + 1])
        codes[target + pair] = first & 0x0F | second << 4
        codes[target + 8 + pair] = first >> 4 | second & 0xF0
      }
    }
    return true
  }

  /// The scale bytes of whole ggml blocks. False, and nothing written, if the sizes don't fit.
  public static func scales(
    of blocks: UnsafeRawBufferPointer, into scales: UnsafeMutableRawBufferPointer
  ) -> Bool {
    let blockBytes = GGMLType.mxfp4.blockBytes
    guard blocks.count % blockBytes == 0, scales.count == blocks.count / blockBytes else { return false }
    for block in 0..<scales.count { scales[block] = blocks[block * blockBytes] }
    return true
  }
}
