import ByteIO
import Testing

@Suite struct Base64Tests {
  @Test func isThatOfTheRFC() {
    let samples = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foobar": "Zm9vYmFy"]
    for (text, encoded) in samples { #expect(Base64.encode(Array(text.utf8)) == encoded) }
  }

  @Test func comesBackAndIsStrict() {
    for count in 0..<20 {
      let bytes = (0..<count).map { UInt8(255 - $0 * 13) }
      #expect(Base64.decode(Base64.encode(bytes)) == bytes)
    }
    #expect(Base64.encode(Array("light w".utf8)) == "bGlnaHQgdw==")
    for text in ["A", "AA", "AAA", "A===", "AB==C", "AA=A", "AB==", "A-BC", "AAB=", "=", "===="] {
      #expect(Base64.decode(text) == nil)
    }
  }
}
