import Codecs

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// SpQR of 4096 rows and columns, decoded on one core beside a memcpy of as many F32.
struct SpQRDecoding {
  let options: Options
  private static let side = 4096
  /// Of memcpy's rate, asked of up to 1 % outliers.
  private static let goal = 0.8

  func run(_ report: inout Report) throws {
    report.title("Decoding SpQR of \(Self.side) x \(Self.side) to F32 on one core, beside memcpy")
    let count = Self.side * Self.side
    let output = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
    let copy = UnsafeMutableBufferPointer<Float>.allocate(capacity: count)
    defer {
      output.deallocate()
      copy.deallocate()
    }
    output.initialize(repeating: 1)
    copy.initialize(repeating: 1)
    for encoding in ["bits=4", "bits=3", "bits=2", "bits=3,rows=128", "bits=4,arithmetic=F16"] {
      guard let codec = try CodecRegistry.codec("spqr:" + encoding) as? SpQRCodec else { continue }
      for permille in [0, 2, 5, 10] {
        let planes = try planes(codec, permille: permille)
        let (time, base) = try best(
          of: options.runs, { try Self.decode(codec, planes, into: output) },
          beside: { if let to = copy.baseAddress, let from = output.baseAddress { memcpy(to, from, count * 4) } })
        report.add(
          Measurement(
            name: "\(encoding), \(Double(permille) / 10) %", value: Double(count * 4) / time / 1e9, unit: "GB/s of F32",
            ratio: base / time, against: "memcpy", goal: Self.goal))
      }
    }
  }

  /// Codes that differ, one scale a tile, and outliers at random places.
  private func planes(_ codec: SpQRCodec, permille: Int) throws -> [[UInt8]] {
    var random = SystemRandomNumberGenerator()
    var matrix = BilevelMatrix(rows: Self.side, columns: Self.side, codec: codec.dense)
    let codes = UInt8(1 << codec.dense.bits)
    for index in matrix.codes.indices { matrix.codes[index] = UInt8(index * 7 >> 2 & 255) % codes }
    for index in stride(from: 0, to: matrix.statistics.count, by: 4) {
      matrix.statistics[index] = 0x2000
      matrix.statistics[index + 1] = 0xBC00
    }
    var outliers: [Outlier] = []
    for position in matrix.codes.indices where Int.random(in: 0..<1000, using: &random) < permille {
      outliers.append(Outlier(position: position, bits: 0x3C00))
    }
    return try codec.pack(matrix, outliers: outliers)
  }

  private static func decode(
    _ codec: SpQRCodec, _ planes: [[UInt8]], into output: UnsafeMutableBufferPointer<Float>
  ) throws {
    var buffers: [UnsafeRawBufferPointer] = []
    func next(_ index: Int) throws {
      guard index < planes.count else {
        return try codec.decode(EncodedSpan(planes: buffers, elements: side * side, columns: side), into: output)
      }
      try planes[index].withUnsafeBytes {
        buffers.append($0)
        try next(index + 1)
      }
    }
    try next(0)
  }
}
