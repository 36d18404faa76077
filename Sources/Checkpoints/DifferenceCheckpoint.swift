import ByteIO
import Codecs
import Tensors

/// A checkpoint seen as its difference from a base: a float tensor that the base has, too, and from which it differs in
/// less than it holds, is one in `delta`; all others are as they were.
public struct DifferenceCheckpoint: CheckpointView {
  public let tensors: [CheckpointTensor]
  public let source: any Checkpoint
  private let deltas: [Int: Delta]

  private struct Delta: Sendable {
    var codec: DeltaCodec
    var source: PlainReader
    var base: PlainReader
  }

  /// Elements of a tensor that its operation is chosen by: so many runs of this length, at even distances.
  private static let sampleRuns = 4
  private static let sampleLength = 1 << 14

  /// Reads a sample of each tensor that both have, and chooses. Throws the errors of reading.
  public init(_ source: any Checkpoint, from base: BaseModel) throws {
    self.source = source
    var deltas: [Int: Delta] = [:]
    var tensors = source.tensors
    for (index, tensor) in tensors.enumerated() {
      guard let plain = PlainReader(source, tensor: index),
        let other = base.reader(like: tensor.name, tensor.shape, plain.dtype),
        let codec = try Self.choose(plain, other, elements: tensor.shape.elements)
      else { continue }
      deltas[index] = Delta(codec: codec, source: plain, base: other)
      tensors[index] = CheckpointTensor(
        name: tensor.name, shape: tensor.shape, codec: codec, sourceDType: plain.dtype,
        storedBytes: tensor.storedBytes)
    }
    self.tensors = tensors
    self.deltas = deltas
  }

  /// Tensors that are stored as differences.
  public var deltaCount: Int { deltas.count }

  private static func choose(_ source: PlainReader, _ base: PlainReader, elements: Int) throws -> DeltaCodec? {
    guard elements > 0 else { return nil }
    let length = min(sampleLength, elements)
    let starts = Set((0..<sampleRuns).map { (elements - length) / max(sampleRuns - 1, 1) * $0 }).sorted()
    let samples = try [source, base].map { reader in
      let size = length * reader.dtype.bits / 8
      let sample = ByteBuffer(count: size * starts.count)
      for (position, start) in starts.enumerated() {
        let run = try reader.read(start..<start + length)
        sample.withMutableBytes { target in
          run.withBytes { UnsafeMutableRawBufferPointer(rebasing: target[(position * size)...]).copyMemory(from: $0) }
        }
      }
      return sample
    }
    return try DeltaCodec.best(dtype: source.dtype, source: samples[0], base: samples[1])
  }

  public func read(
    _ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    guard let delta = deltas[tensor] else { return try source.read(tensor, elements: elements, into: planes) }
    let words = try delta.source.read(elements)
    try delta.base.read(elements).withBytes { base in
      try words.withMutableBytes { try delta.codec.split($0, from: base, into: planes) }
    }
    return planes.map(\.count)
  }
}
