import Codecs
import Tensors

/// BitNet b1.58's ternary weights made from floats: `integers:bits=2,groups=tensor,scale=BF16,zero=code`, whose scale is
/// the mean magnitude of the tensor (Ma et al., "The Era of 1-bit LLMs", 2024), rounded to BF16. What is far below it
/// becomes 0, the rest -1 or 1.
struct MeanTernary: TensorStatisticCodec {
  private let codec: IntegersCodec

  init?() {
    guard let codec = try? IntegersCodec(bits: 2, grouping: .tensor, scale: .bf16, zero: .code) else { return nil }
    self.codec = codec
  }

  var descriptor: CodecDescriptor { codec.descriptor }
  var planes: [Plane] { codec.planes }
  var defaultRule: ScaleRule { .absmax }

  func alignment(columns: Int) -> Int { codec.alignment(columns: columns) }
  func check(_ shape: Shape) throws(CodecError) { try codec.check(shape) }

  func bytes(plane: Int, elements: Int, columns: Int) -> Int {
    codec.bytes(plane: plane, elements: elements, columns: columns)
  }

  func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    try codec.decode(input, into: output)
  }

  func decodeReference(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    try codec.decodeReference(input, into: output)
  }

  func passes(rule: ScaleRule) -> Int { 1 }

  /// The sum of all magnitudes, and their number.
  func gather(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule, after previous: [TensorStatistic]
  ) throws(CodecError) -> TensorStatistic {
    var sum = 0.0
    for (element, value) in values.enumerated() {
      guard value.isFinite else { throw .unencodable(codec: "\(descriptor)", element: element, value: value) }
      sum += Double(abs(value))
    }
    return TensorStatistic([sum, Double(values.count)], merge: .sum)
  }

  func encode(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule, statistics: [TensorStatistic],
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    guard let totals = statistics.first?.values, totals.count == 2 else {
      throw .rule(codec: "\(descriptor)", rule: rule)
    }
    // A tensor of zeros has a scale all the same: transformers keeps it above 1e-5.
    let mean = ScalarFloat.bf16.rounded(Float(max(totals[0] / max(totals[1], 1), 1e-5)))
    let bits = mean.bitPattern >> 16
    planes[1].copyBytes(from: [UInt8(truncatingIfNeeded: bits), UInt8(truncatingIfNeeded: bits >> 8)])
    planes[2][0] = 1
    _ = planes[0].initializeMemory(as: UInt8.self, repeating: 0)
    let rowBytes = (columns * 2 + 7) / 8
    for (element, value) in values.enumerated() {
      let code = max(-1, min((value / mean).rounded(.toNearestOrEven), 1)) + 1
      let column = element % columns
      planes[0][element / columns * rowBytes + column / 4] |= UInt8(code) << UInt8(column % 4 * 2)
    }
  }
}
