import ByteIO
import JSON
import Testing

@testable import Architectures

/// Llama 3's frequency factors, against SHA-256 of what the converter's formula gives in PyTorch 2.13 (CPU) for the
/// published head sizes and factors.
struct FrequencyFactorTests {
  @Test(arguments: [
    (128, 8, "8b516af9cb5db26ed32831eb6f493dd620843d1cd69ca7bbad760c76061cd565"),
    (64, 32, "d25a6d176d9313062b8f86440c88649f9e568d573ea66bfa4e85e2424cf35633"),
  ]) func published(_ size: Int, _ factor: Int, _ digest: String) throws {
    let settings = JSONObject([
      .init("rope_type", "llama3"), .init("rope_theta", 500_000), .init("factor", .number(JSONNumber(factor))),
      .init("low_freq_factor", 1), .init("high_freq_factor", 4), .init("original_max_position_embeddings", 8192),
    ])
    let parameters = HyperParameters(["head_dim": .number(JSONNumber(size))])
    let factors = try #require(try MapBuilder.llama3Factors(parameters, settings))
    #expect(factors.count == size / 2)
    #expect(hexadecimal(SHA256.digest(factors.withUnsafeBytes { Array($0) })) == digest)
  }

  @Test func otherTypesHaveNone() throws {
    let parameters = HyperParameters(["head_dim": 64])
    #expect(try MapBuilder.llama3Factors(parameters, JSONObject([.init("rope_type", "yarn")])) == nil)
  }
}
