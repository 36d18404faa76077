/// A GGUF file put together field by field, right or wrong, in either byte order.
struct GGUFBuilder {
  var bigEndian = false
  private(set) var bytes: [UInt8] = []

  init(version: UInt32 = 3, bigEndian: Bool = false, tensors: Int64 = 0, pairs: Int64 = 0) {
    self.bigEndian = bigEndian
    bytes = Array("GGUF".utf8)
    number(version)
    number(tensors)
    number(pairs)
  }

  mutating func number<T: FixedWidthInteger>(_ value: T) {
    withUnsafeBytes(of: bigEndian ? value.bigEndian : value.littleEndian) { bytes.append(contentsOf: $0) }
  }

  mutating func string(_ text: String) {
    number(UInt64(text.utf8.count))
    bytes += Array(text.utf8)
  }

  mutating func raw(_ values: [UInt8]) { bytes += values }

  /// Key and type of a pair; the value follows.
  mutating func key(_ key: String, type: UInt32) {
    string(key)
    number(type)
  }

  mutating func tensor(_ name: String, ne: [Int64], type: Int32, offset: UInt64) {
    string(name)
    number(UInt32(ne.count))
    for dimension in ne { number(dimension) }
    number(type)
    number(offset)
  }

  mutating func pad(to alignment: Int) {
    while bytes.count % alignment != 0 { bytes.append(0) }
  }
}
