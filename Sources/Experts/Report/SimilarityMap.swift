import ByteIO

/// A matrix of cosines as an image of a pixel a pair: white 0, blue 1, red -1. A BMP of 8 bits a pixel, which browsers
/// show and nothing has to compress.
struct SimilarityMap {
  private let gram: GramMatrix

  init(_ gram: GramMatrix) { self.gram = gram }

  var html: String {
    let side = 256
    return "<img width=\(side) height=\(side) style=\"image-rendering:pixelated\" alt=\"cosines\" "
      + "src=\"data:image/bmp;base64,\(Base64.text(bitmap))\">\n"
  }

  /// File header, info header, 256 colours, then rows from the bottom, each padded to four bytes.
  var bitmap: [UInt8] {
    let count = gram.count
    let stride = (count + 3) / 4 * 4
    let start = 14 + 40 + 256 * 4
    var bytes = Array("BM".utf8)
    bytes.append(littleEndian: UInt32(start + stride * count))
    bytes.append(littleEndian: UInt32(0))
    bytes.append(littleEndian: UInt32(start))
    for value in [40, count, count] { bytes.append(littleEndian: UInt32(value)) }
    bytes.append(littleEndian: UInt16(1))
    bytes.append(littleEndian: UInt16(8))
    for value in [0, stride * count, 2835, 2835, 256, 0] { bytes.append(littleEndian: UInt32(value)) }
    for level in -128..<128 {
      let fade = UInt8(255 - min(255, 2 * abs(level)))
      bytes += level >= 0 ? [255, fade, fade, 0] : [fade, fade, 255, 0]
    }
    let cosines = gram.correlations
    for row in (0..<count).reversed() {
      bytes += cosines[row * count..<(row + 1) * count].map { UInt8(128 + (max(-1, min(1, $0)) * 127).rounded()) }
      bytes += [UInt8](repeating: 0, count: stride - count)
    }
    return bytes
  }
}

/// RFC 4648, section 4.
enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func text(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let piece = Array(bytes[start..<min(start + 3, bytes.count)])
      let word = (0..<3).reduce(0) { $0 << 8 | Int($1 < piece.count ? piece[$1] : 0) }
      for index in 0..<4 {
        text.append(index <= piece.count ? alphabet[word >> (18 - 6 * index) & 63] : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
