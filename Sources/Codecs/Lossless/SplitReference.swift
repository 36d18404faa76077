/// The rearrangement of specs/codecs/lossless.md, element by element, for elements as wide as `Code`.
enum SplitReference<Code: FixedWidthInteger & UnsignedInteger> {
  private static var size: Int { Code.bitWidth / 8 }

  static func split(_ source: UnsafeRawBufferPointer, _ planes: [UnsafeMutableRawBufferPointer]) {
    for index in 0..<source.count / size {
      var code: Code = 0
      for byte in (0..<size).reversed() { code = code << 8 | Code(source[index * size + byte]) }
      let rotated = code << 1 | code >> Code(Code.bitWidth - 1)
      for plane in 0..<size {
        planes[plane][index] = UInt8(truncatingIfNeeded: rotated >> Code(Code.bitWidth - 8 - 8 * plane))
      }
    }
  }

  static func join(_ planes: [UnsafeRawBufferPointer], _ target: UnsafeMutableRawBufferPointer) {
    for index in 0..<target.count / size {
      var rotated: Code = 0
      for plane in 0..<size { rotated = rotated << 8 | Code(planes[plane][index]) }
      let code = rotated >> 1 | rotated << Code(Code.bitWidth - 1)
      for byte in 0..<size {
        target[index * size + byte] = UInt8(truncatingIfNeeded: code >> Code(8 * byte))
      }
    }
  }
}
