import Pages

/// A matrix of cosines as an image of a pixel a pair: white 0, blue 1, red -1.
struct SimilarityMap {
  private let gram: GramMatrix

  init(_ gram: GramMatrix) { self.gram = gram }

  var html: String {
    let side = 256
    return "<img width=\(side) height=\(side) style=\"image-rendering:pixelated\" alt=\"cosines\" "
      + "src=\"\(bitmap.dataURI)\">\n"
  }

  var bitmap: Bitmap {
    let (count, cosines) = (gram.count, gram.correlations)
    return Bitmap(rows: count, columns: count, palette: Self.color) { row, column in
      UInt8(128 + (max(-1, min(1, cosines[row * count + column])) * 127).rounded())
    }
  }

  /// Blue, green and red of a cosine of (shade - 128) / 127.
  private static func color(_ shade: UInt8) -> [UInt8] {
    let level = Int(shade) - 128
    let fade = UInt8(255 - min(255, 2 * abs(level)))
    return level >= 0 ? [255, fade, fade] : [fade, fade, 255]
  }
}
