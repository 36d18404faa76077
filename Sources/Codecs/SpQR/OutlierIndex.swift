import ByteIO

/// The index of the outliers of one row of tiles, in one of three kinds named by its first byte in the
/// `outlierRows` plane:
///
///     0       no outliers
///     1       CSR: a u32 a row, the number of outliers up to and with that row; their columns in `outlierColumns`
///     2 + k   a u32 count; gaps between positions as Golomb-Rice codes of parameter k in `outlierColumns`
///
/// A position is the index of a weight in the row of tiles, row-major; a gap is how many weights lie between two
/// outliers. Gaps are a bit stream, least significant bit first, padded to a byte: gap >> k zeros, a one, k low bits.
struct OutlierIndex {
  static let empty: UInt8 = 0
  static let csr: UInt8 = 1
  static let firstRice: UInt8 = 2
  /// Rows of tiles have fewer than 2^31 positions that pay for a larger parameter.
  static let largestParameter = 30

  /// Bytes of a column number of a CSR index.
  static func columnBytes(_ columns: Int) -> Int {
    columns <= 1 << 8 ? 1 : columns <= 1 << 16 ? 2 : 4
  }

  var header: [UInt8]
  var columns: [UInt8]

  var count: Int { header.count + columns.count }

  /// The index of `positions`, ascending, in a row of tiles of `rows` by `columns` weights.
  init(_ positions: [Int], rows: Int, columns: Int, choice: SpQRCodec.IndexChoice) {
    guard !positions.isEmpty else {
      self.init(header: [Self.empty], columns: [])
      return
    }
    let plain = Self.plain(positions, rows: rows, columns: columns)
    guard choice == .smallest else {
      self = plain
      return
    }
    let gaps = zip(positions, [-1] + positions).map { $0 - $1 - 1 }
    let rice = Self.rice(gaps)
    self = rice.count < plain.count ? rice : plain
  }

  private init(header: [UInt8], columns: [UInt8]) {
    self.header = header
    self.columns = columns
  }

  private static func plain(_ positions: [Int], rows: Int, columns: Int) -> OutlierIndex {
    var index = OutlierIndex(header: [csr], columns: [])
    var next = 0
    for row in 0..<rows {
      while next < positions.count, positions[next] < (row + 1) * columns {
        let column = UInt32(positions[next] - row * columns)
        for byte in 0..<columnBytes(columns) {
          index.columns.append(UInt8(truncatingIfNeeded: column >> UInt32(8 * byte)))
        }
        next += 1
      }
      index.header.append(littleEndian: UInt32(next))
    }
    return index
  }

  private static func rice(_ gaps: [Int]) -> OutlierIndex {
    let parameter = bestParameter(gaps)
    var index = OutlierIndex(header: [firstRice + UInt8(parameter)], columns: [])
    index.header.append(littleEndian: UInt32(gaps.count))
    var writer = BitWriter()
    for gap in gaps {
      writer.zeros(gap >> parameter)
      writer.append(UInt64(gap & ((1 << parameter) - 1)) << 1 | 1, width: parameter + 1)
    }
    index.columns = writer.finish()
    return index
  }

  /// The parameter with the fewest bits, the smallest of equals.
  private static func bestParameter(_ gaps: [Int]) -> Int {
    var best = (parameter: 0, bits: Int.max)
    for parameter in 0...largestParameter {
      let bits = gaps.reduce(gaps.count * (parameter + 1)) { $0 + $1 >> parameter }
      if bits < best.bits { best = (parameter, bits) }
    }
    return best.parameter
  }
}

/// Bits from the least significant of the first byte on.
struct BitWriter {
  private var bytes: [UInt8] = []
  private var word: UInt64 = 0
  private var filled = 0

  /// Appends the low `width` bits (at most 32) of `value`, which has no others.
  mutating func append(_ value: UInt64, width: Int) {
    word |= value << UInt64(filled)
    filled += width
    while filled >= 8 {
      bytes.append(UInt8(truncatingIfNeeded: word))
      word >>= 8
      filled -= 8
    }
  }

  mutating func zeros(_ count: Int) {
    var left = count
    while left > 0 {
      append(0, width: min(left, 32))
      left -= 32
    }
  }

  /// The bytes, the last one filled up with zeros.
  mutating func finish() -> [UInt8] {
    if filled > 0 { bytes.append(UInt8(truncatingIfNeeded: word)) }
    return bytes
  }
}
