import Checkpoints
import Conversion
import TestSupport
import Testing

@Suite struct SelectorTests {
  private func matches(_ pattern: String, _ name: String) -> Bool {
    Selector.pattern(pattern).matches(name: name, role: .other)
  }

  /// What `*` and `?` mean, by trying everything: too slow for use, plain enough to trust.
  private func matchesPlainly(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
    guard let first = pattern.first else { return name.isEmpty }
    if first == UInt8(ascii: "*") {
      return (name.startIndex...name.endIndex).contains { matchesPlainly(pattern.dropFirst(), name[$0...]) }
    }
    guard let byte = name.first, first == UInt8(ascii: "?") || first == byte else { return false }
    return matchesPlainly(pattern.dropFirst(), name.dropFirst())
  }

  @Test func patternsMatchAsTheirDefinitionSays() {
    var random = SplitMix64(seed: 11)
    for _ in 0..<20_000 {
      let pattern = (0..<Int.random(in: 0...6, using: &random)).map { _ in
        "ab*?".utf8.randomElement(using: &random) ?? 0
      }
      let name = (0..<Int.random(in: 0...7, using: &random)).map { _ in "ab".utf8.randomElement(using: &random) ?? 0 }
      let (patternText, nameText) = (String(decoding: pattern, as: UTF8.self), String(decoding: name, as: UTF8.self))
      #expect(matches(patternText, nameText) == matchesPlainly(pattern[...], name[...]), "\(patternText) \(nameText)")
    }
  }

  @Test func aQuestionMarkIsOneByte() {
    #expect(matches("??", "é"))
    #expect(!matches("?", "é"))
  }

  @Test func manyStarsTakeNoExponentialTime() {
    let pattern = String(repeating: "a*", count: 200) + "b"
    #expect(!matches(pattern, String(repeating: "a", count: 5_000)))
  }

  @Test func roleWordsFitRolesAndNotNames() {
    #expect(Selector("norms").matches(name: "x", role: .norm))
    #expect(!Selector("norms").matches(name: "norms", role: .linear))
    #expect(Selector("norm").matches(name: "norm", role: .linear))
  }

  @Test func everyRoleHasAWordThatSelectsIt() {
    let roles: [TensorRole] = [
      .expert(layer: 0, expert: 1, matrix: .up), .expertBias(layer: 0, expert: nil), .router, .norm, .bias, .embedding,
      .head, .attention, .linear, .other,
    ]
    for role in roles {
      #expect(Selector.roles.filter { Selector($0).matches(name: "x", role: role) } == [role.word])
    }
    #expect(Set(roles.map(\.word)) == Set(Selector.roles))
  }
}
