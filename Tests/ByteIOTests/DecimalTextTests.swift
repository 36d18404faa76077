import ByteIO
import Testing

@Suite struct DecimalTextTests {
  @Test func aFixedNumberOfDecimals() {
    #expect(DecimalText.fixed(0, 0) == "0")
    #expect(DecimalText.fixed(0, 3) == "0.000")
    #expect(DecimalText.fixed(7.5, 0) == "8")
    #expect(DecimalText.fixed(1.0625, 3) == "1.063")
    #expect(DecimalText.fixed(0.0078125, 2) == "0.01")
    #expect(DecimalText.fixed(-2.75, 1) == "-2.8")
    #expect(DecimalText.fixed(-0.04, 1) == "0.0")
    #expect(DecimalText.fixed(-0.0, 1) == "0.0")
    #expect(DecimalText.fixed(123456, 2) == "123456.00")
  }

  @Test func whatHasNoSuchText() {
    #expect(DecimalText.fixed(999_999_999_999, 5) == "999999999999.00000")
    #expect(DecimalText.fixed(1e18, 0) == nil)
    #expect(DecimalText.fixed(-1e15, 3) == nil)
    #expect(DecimalText.fixed(.infinity, 2) == nil)
    #expect(DecimalText.fixed(-.infinity, 2) == nil)
    #expect(DecimalText.fixed(.nan, 2) == nil)
  }
}
