import Safetensors
import TestSupport
import Testing

@testable import Codecs

/// The relative squared error on the experts of a trained model, against the table in shared/README.md.
@Suite(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout")) struct ExpertErrorTests {
  @Test(arguments: [
    ("mxfp4", ScaleRule.search, 0.01245), ("mxfp4", .floor, 0.01305), ("int4", .search, 0.0092),
    ("int3", .search, 0.0366), ("nf4:second=256", .search, 0.00855),
  ])
  func experts(descriptor: String, rule: ScaleRule, limit: Double) throws {
    let file = try StoredTensors(path: Fixtures.shared("models/upcycled/model-00001-of-00002.safetensors"))
    let codec = try #require(try CodecRegistry.codec(descriptor) as? any QuantizingCodec)
    var errors: [Double] = []
    for tensor in file.file.tensors where tensor.name.contains("layers.0") && tensor.name.contains("experts.1.") {
      let values = try file.floats(tensor.name)
      let encoded = try EncodedTensor(codec, values, columns: tensor.shape.columns, rule: rule)
      errors.append(relativeError(try encoded.decode(), values))
    }
    #expect(errors.count == 3)
    #expect(errors.reduce(0, +) / 3 < limit, "\(errors)")
  }
}
