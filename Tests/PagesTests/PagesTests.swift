import Pages
import Testing

@Suite struct PagesTests {
  @Test func textIsEscaped() {
    #expect(HTMLText.escaped("a <b> & \"c\"") == "a &lt;b&gt; &amp; &quot;c&quot;")
    #expect(HTMLText.head("<x>").contains("<title>&lt;x&gt;</title>"))
  }

  @Test func decimalsAreRounded() {
    #expect(HTMLText.decimal(1.005, 1) == "1.0")
    #expect(HTMLText.decimal(-0.04, 1) == "0.0")
    #expect(HTMLText.decimal(-2.75, 1) == "-2.8")
    #expect(HTMLText.decimal(7.5, 0) == "8")
    #expect(HTMLText.decimal(.nan, 2) == "-")
    #expect(HTMLText.decimal(1e12, 1) == "∞" && HTMLText.decimal(-.infinity, 1) == "-∞")
    #expect(HTMLText.decimal(999_999_999_999, 5) == "999999999999.00000")
  }

  /// Three pixels by two: rows from below, each padded to four bytes.
  @Test func bitmapHasItsHeadersPaletteAndRows() {
    let picture = Bitmap(rows: 2, columns: 3, palette: { [$0, 0, 255 - $0] }) { UInt8(10 * $0 + $1) }
    #expect(picture.bytes.count == 1078 + 8)
    #expect(Array(picture.bytes.prefix(6)) == [0x42, 0x4D, 0x3E, 0x04, 0, 0])
    #expect(Array(picture.bytes[18..<26]) == [3, 0, 0, 0, 2, 0, 0, 0])
    #expect(Array(picture.bytes[54 + 4..<54 + 8]) == [1, 0, 254, 0])
    #expect(Array(picture.bytes.suffix(8)) == [10, 11, 12, 0, 0, 1, 2, 0])
    #expect(picture.dataURI.hasPrefix("data:image/bmp;base64,Qk"))
  }
}
