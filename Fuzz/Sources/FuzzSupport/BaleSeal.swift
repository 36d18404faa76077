import ByteIO

/// Makes every digest of a damaged `.bale` file right again (specs/bale.md), so that a mutation gets past them to the
/// structural checks: those of the chunks, of the directory, its root, the header and the trailer.
public struct BaleSeal {
  private var bytes: [UInt8]
  private static let frame = 128

  public static func sealed(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.count >= 2 * frame else { return bytes }
    var seal = BaleSeal(bytes: bytes)
    if let directory = seal.directory() {
      seal.sealChunks(directory)
      seal.sealTrailer(directory)
    }
    seal.put(UInt64(seal.digest(0..<120)), at: 120)
    let trailer = seal.trailer
    seal.put(UInt64(seal.digest(trailer..<trailer + 120)), at: trailer + 120)
    return seal.bytes
  }

  private var trailer: Int { bytes.count - Self.frame }

  /// The range that the trailer gives the directory, its end moved to the trailer's start.
  private func directory() -> Range<Int>? {
    let offset = Int(clamping: number(trailer, UInt64.self))
    return offset >= Self.frame && offset < trailer ? offset..<trailer : nil
  }

  private mutating func sealTrailer(_ directory: Range<Int>) {
    put(UInt64(directory.count), at: trailer + 8)
    put(UInt64(bytes.count), at: trailer + 64)
    let content = Array(bytes[directory])
    replace(at: trailer + 16, content.withUnsafeBytes { XXH3.digest128($0) })
    replace(at: trailer + 32, SHA256.digest(content))
  }

  /// Puts the digest of each extent that lies in the file into its row of CHNK.
  private mutating func sealChunks(_ directory: Range<Int>) {
    guard let table = section("CHNK", directory) else { return }
    let sha256 = section("SHA2", directory)
    for (index, row) in stride(from: table.lowerBound, through: table.upperBound - 32, by: 32).enumerated() {
      let offset = Int(clamping: number(row, UInt64.self))
      let extent = Int(number(row + 12, UInt32.self))
      guard offset <= bytes.count, extent <= bytes.count - offset else { continue }
      put(digest(offset..<offset + extent), at: row + 24)
      if let sha256, sha256.count >= 32 * (index + 1) {
        replace(at: sha256.lowerBound + 32 * index, SHA256.digest(Array(bytes[offset..<offset + extent])))
      }
    }
  }

  /// Where the section of a tag lies in the file, if it does.
  private func section(_ tag: String, _ directory: Range<Int>) -> Range<Int>? {
    let tag = Array(tag.utf8)
    for row in stride(from: directory.lowerBound + 16, through: directory.upperBound - 24, by: 24).prefix(256)
    where Array(bytes[row..<row + 4]) == tag {
      let offset = Int(clamping: number(row + 8, UInt64.self))
      let length = Int(clamping: number(row + 16, UInt64.self))
      guard offset <= directory.count, length <= directory.count - offset else { return nil }
      return directory.lowerBound + offset..<directory.lowerBound + offset + length
    }
    return nil
  }

  private func digest(_ range: Range<Int>) -> UInt64 {
    bytes.withUnsafeBytes { XXH3.digest64(UnsafeRawBufferPointer(rebasing: $0[range])) }
  }

  private func number<T: FixedWidthInteger>(_ offset: Int, _: T.Type) -> T {
    T(littleEndian: bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: T.self) })
  }

  private mutating func put(_ value: UInt64, at offset: Int) {
    withUnsafeBytes(of: value.littleEndian) { replace(at: offset, Array($0)) }
  }

  private mutating func replace(at offset: Int, _ new: [UInt8]) {
    bytes.replaceSubrange(offset..<offset + new.count, with: new)
  }
}
