import JSON
import TestSupport
import Testing

struct ExactStringTests {
  @Test func ordersByBytes() {
    let ascending = ["", "\0", "A", "Z", "a", "aa", "e\u{301}", "\u{E9}", "\u{FB00}", "\u{FFFF}", "\u{1F600}"]
    for (i, left) in ascending.enumerated() {
      for (j, right) in ascending.enumerated() {
        #expect((ExactString(left) < ExactString(right)) == (i < j))
        #expect((ExactString(left) == ExactString(right)) == (i == j))
      }
    }
    #expect(Set(["\u{E9}", "e\u{301}", "\u{E9}"].map(ExactString.init)).count == 2)
  }
}
