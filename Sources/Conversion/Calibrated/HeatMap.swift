import ByteIO

/// Values as a picture: a BMP of 256 shades, on a logarithmic scale.
struct HeatMap {
  private let values: [Float]
  private let columns: Int
  /// Powers of two below the largest value that have shades: five decades.
  private static let octaves: Float = 16.6

  init(_ values: [Float], columns: Int) {
    self.values = values
    self.columns = columns
  }

  /// The picture as a URI that a page can hold.
  var dataURI: String { "data:image/bmp;base64," + Self.base64(bitmap) }

  private var bitmap: [UInt8] {
    let rows = columns == 0 ? 0 : values.count / columns
    let stride = (columns + 3) / 4 * 4
    var bytes: [UInt8] = Array("BM".utf8)
    for field: UInt32 in [UInt32(1078 + stride * rows), 0, 1078, 40, UInt32(columns), UInt32(rows)] {
      bytes.append(littleEndian: field)
    }
    bytes.append(littleEndian: UInt16(1))
    bytes.append(littleEndian: UInt16(8))
    for field: UInt32 in [0, UInt32(stride * rows), 2835, 2835, 256, 0] { bytes.append(littleEndian: field) }
    for shade in 0..<256 { bytes += Self.color(shade) }
    let largest = values.max() ?? 0
    // The lowest row comes first.
    for row in (0..<rows).reversed() {
      for column in 0..<stride {
        bytes.append(column < columns ? Self.shade(values[row * columns + column], largest) : 0)
      }
    }
    return bytes
  }

  private static func shade(_ value: Float, _ largest: Float) -> UInt8 {
    guard value > 0, largest > 0, (value / largest).isNormal else { return 0 }
    let ratio = value / largest
    // Exponent and significand give the logarithm as near as shades need it.
    let logarithm = Float(ratio.exponent) + ratio.significand - 1
    return UInt8(max(0, min(255, 255 * (1 + logarithm / octaves))))
  }

  /// Black over red and yellow to white: blue, green, red and zero.
  private static func color(_ shade: Int) -> [UInt8] {
    func ramp(_ start: Int) -> UInt8 { UInt8(max(0, min(255, (shade - start) * 3))) }
    return [ramp(170), ramp(85), ramp(0), 0]
  }

  private static func base64(_ bytes: [UInt8]) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let count = min(3, bytes.count - start)
      let word = (0..<3).reduce(0) { $0 << 8 | ($1 < count ? Int(bytes[start + $1]) : 0) }
      for place in 0..<4 {
        text.append(place <= count ? digits[word >> (18 - 6 * place) & 63] : UInt8(ascii: "="))
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
