import Pages

/// Values as a picture of 256 shades, on a logarithmic scale.
struct HeatMap {
  private let values: [Float]
  private let columns: Int
  /// Powers of two below the largest value that have shades: five decades.
  private static let octaves: Float = 16.6

  init(_ values: [Float], columns: Int) {
    self.values = values
    self.columns = columns
  }

  var bitmap: Bitmap {
    let largest = values.max() ?? 0
    return Bitmap(rows: columns == 0 ? 0 : values.count / columns, columns: columns, palette: Self.color) {
      Self.shade(values[$0 * columns + $1], largest)
    }
  }

  private static func shade(_ value: Float, _ largest: Float) -> UInt8 {
    guard value > 0, largest > 0, (value / largest).isNormal else { return 0 }
    let ratio = value / largest
    // Exponent and significand give the logarithm as near as shades need it.
    let logarithm = Float(ratio.exponent) + ratio.significand - 1
    return UInt8(max(0, min(255, 255 * (1 + logarithm / octaves))))
  }

  /// Black over red and yellow to white: blue, green and red.
  private static func color(_ shade: UInt8) -> [UInt8] {
    func ramp(_ start: Int) -> UInt8 { UInt8(max(0, min(255, (Int(shade) - start) * 3))) }
    return [ramp(170), ramp(85), ramp(0)]
  }
}
