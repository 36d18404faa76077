import ByteIO

/// An uncompressed BMP of 8 bits a pixel, which browsers show and nothing has to compress. Layout: BITMAPFILEHEADER and
/// BITMAPINFOHEADER of the Windows API.
public struct Bitmap: Sendable {
  /// The file.
  public let bytes: [UInt8]

  /// A picture of `rows` x `columns` pixels. `palette` gives the blue, green and red of a shade, `shade` that of a pixel.
  public init(
    rows: Int, columns: Int, palette: (_ shade: UInt8) -> [UInt8], shade: (_ row: Int, _ column: Int) -> UInt8
  ) {
    let stride = (columns + 3) / 4 * 4
    let start = 14 + 40 + 256 * 4
    var bytes = Array("BM".utf8)
    for field in [start + stride * rows, 0, start, 40, columns, rows] { bytes.append(littleEndian: UInt32(field)) }
    for field: UInt16 in [1, 8] { bytes.append(littleEndian: field) }
    for field in [0, stride * rows, 2835, 2835, 256, 0] { bytes.append(littleEndian: UInt32(field)) }
    for index in 0...UInt8.max { bytes += palette(index) + [0] }
    // The lowest row comes first, each padded to four bytes.
    for row in (0..<rows).reversed() {
      for column in 0..<columns { bytes.append(shade(row, column)) }
      bytes += [UInt8](repeating: 0, count: stride - columns)
    }
    self.bytes = bytes
  }

  /// The picture as a URI that a page can hold.
  public var dataURI: String { "data:image/bmp;base64," + Base64.encode(bytes) }
}
