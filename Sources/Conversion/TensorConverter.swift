import Checkpoints
import Codecs

/// Makes runs of a tensor in its new encoding: reads, turns over, measures.
struct TensorConverter: Sendable {
  let reader: SpanReader
  let transcoder: Transcoder
  var statistic: TensorStatistic?

  init(_ checkpoint: any Checkpoint, tensor: Int, to codec: any Codec, rule: ScaleRule?, measured: Bool) throws {
    reader = SpanReader(checkpoint, tensor: tensor)
    transcoder = try Transcoder(from: reader.codec, to: codec, rule: rule, measured: measured)
  }

  /// Elements `range` of the tensor, encoded as a piece of its own. The target may begin a piece anywhere; where the
  /// source can't be cut there, a little more is read and decoded.
  func convert(_ range: Range<Int>) throws -> (EncodedBytes, ErrorStatistics) {
    let covering = reader.covering(range)
    let input = try reader.read(covering)
    if transcoder.isCopy && covering == range { return (input, ErrorStatistics()) }
    let output = EncodedBytes(transcoder.target, elements: range.count, columns: reader.columns)
    if covering == range {
      let cost = try transcoder.run(input.span, into: output.targets, statistic: statistic)
      return (output, cost)
    }
    let values = try decoded(input, dropping: range.lowerBound - covering.lowerBound, keeping: range.count)
    let fromValues = try Transcoder(
      from: PlainCodec(.f32), to: transcoder.target, rule: transcoder.rule, measured: transcoder.measured)
    let cost = try fromValues.run(values.span, into: output.targets, statistic: statistic)
    return (output, cost)
  }

  /// Values of a run as F32, less those at its start that weren't asked for.
  private func decoded(_ input: EncodedBytes, dropping: Int, keeping: Int) throws -> EncodedBytes {
    let all = EncodedBytes(PlainCodec(.f32), elements: input.elements, columns: input.columns)
    let floats = all.targets[0].bindMemory(to: Float.self)
    try reader.codec.decode(input.span, into: floats)
    let result = EncodedBytes(PlainCodec(.f32), elements: keeping, columns: input.columns)
    result.targets[0].copyMemory(
      from: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(floats)[(dropping * 4)...].prefix(keeping * 4)))
    return result
  }
}
