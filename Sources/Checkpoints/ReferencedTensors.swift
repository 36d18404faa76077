import BaleFormat
import ByteIO
import Codecs
import Pipeline

/// The tensors of a `.bale` that are stored as differences from others (specs/codecs/residual.md), and the values of
/// those others.
final class ReferencedTensors: Sendable {
  private struct Reference: Sendable {
    var tensor: BaleTensor
    var codec: any Codec
    /// Tensors that are stored beside it.
    var users = 0
  }

  private struct Span: Hashable {
    var tensor: String
    var span: Int
  }

  /// Decoded spans of references, the latest last.
  private struct Shelf {
    var spans: [Span: [Float]] = [:]
    var order: [Span] = []
    var bytes = 0
  }

  /// Bytes of decoded references that are kept.
  private static let capacity = 64 << 20

  private let file: BaleFile
  private let references: [String: Reference]
  private let codecs: [String: ResidualCodec]
  private let shelf = Lock(Shelf())

  /// Throws `UnknownReference` if a tensor's reference isn't there or doesn't fit it.
  init(_ tensors: [BaleTensor], in file: BaleFile) throws {
    self.file = file
    var references: [String: Reference] = [:]
    var codecs: [String: ResidualCodec] = [:]
    for tensor in tensors {
      guard let codec = try? CodecRegistry.codec(tensor.encoding) as? ResidualCodec else { continue }
      guard let name = codec.reference, let reference = file.tensor(named: name),
        let plain = try? CodecRegistry.codec(reference.encoding), !(plain is any ReferencedCodec),
        reference.parts.count == 1, reference.shape.columns == tensor.shape.columns,
        tensor.parts.allSatisfy({ $0.elements == reference.shape.elements })
      else { throw UnknownReference(path: file.fileSizes[0].path, tensor: tensor.name, reference: codec.reference) }
      try file.check(reference, against: plain)
      references[name, default: Reference(tensor: reference, codec: plain)].users += 1
      codecs[tensor.name] = codec
    }
    self.references = references
    self.codecs = codecs
  }

  func isReference(_ name: String) -> Bool { references[name] != nil }

  /// How the tensor looks from outside, if it is stored as a difference.
  func view(of tensor: BaleTensor) -> DecodedView? {
    codecs[tensor.name].map { DecodedView(descriptor: $0.descriptor) }
  }

  /// A tensor's share in the bytes of its reference, so that the shares add up.
  func shareOfReference(_ name: String) -> Int {
    guard let reference = codecs[name]?.reference.flatMap({ references[$0] }) else { return 0 }
    return reference.tensor.storedBytes.dividedRoundingUp(by: max(reference.users, 1))
  }

  /// Decodes a run of elements to F32. Gives the bytes written.
  func read(_ tensor: BaleTensor, elements: Range<Int>, into output: UnsafeMutableRawBufferPointer) throws -> Int {
    guard let codec = codecs[tensor.name] else { return 0 }
    let values = output.bindMemory(to: Float.self)
    let stride = tensor.shape.elements / max(tensor.shape.dimensions.first ?? 1, 1)
    for part in tensor.parts {
      let start = part.range.lowerBound * stride
      let wanted = elements.clamped(to: start..<start + part.elements)
      if wanted.isEmpty { continue }
      for span in (wanted.lowerBound - start) / part.spanElements...(wanted.upperBound - 1 - start) / part.spanElements
      {
        let first = span * part.spanElements
        let range = first..<first + part.elements(inSpan: span)
        let planes = try file.readSpan(span, of: part)
        let decoded = try decode(planes, of: tensor.name, codec, range: range, columns: part.columns)
        let inSpan = (wanted.lowerBound - start..<wanted.upperBound - start).clamped(to: range)
        let target = start + inSpan.lowerBound - elements.lowerBound
        guard target + inSpan.count <= values.count else { continue }
        for (index, value) in decoded[inSpan.lowerBound - first..<inSpan.upperBound - first].enumerated() {
          values[target + index] = value
        }
      }
    }
    return elements.count * MemoryLayout<Float>.size
  }

  /// The values of a span from its planes: elements `range` of a part, beside those of the reference if it has one.
  func decode(
    _ planes: [[UInt8]], of tensor: String, _ codec: any Codec, range: Range<Int>, columns: Int
  ) throws -> [Float] {
    guard let codec = codec as? ResidualCodec, let reference = codec.reference.flatMap({ references[$0] }) else {
      return try Self.decoded(planes, count: range.count, columns: columns) { try codec.decode($0, into: $1) }
    }
    let values = try values(range, of: reference)
    return try Self.decoded(planes, count: range.count, columns: columns) { input, output in
      try values.withUnsafeBufferPointer { try codec.decode(input, reference: $0, into: output) }
    }
  }

  /// Values of a run of a reference.
  private func values(_ range: Range<Int>, of reference: Reference) throws -> [Float] {
    let part = reference.tensor.parts[0]
    var values: [Float] = []
    values.reserveCapacity(range.count)
    for span in range.lowerBound / part.spanElements...(range.upperBound - 1) / part.spanElements {
      let first = span * part.spanElements
      let inSpan = range.clamped(to: first..<first + part.elements(inSpan: span))
      values += try self.span(span, of: reference)[inSpan.lowerBound - first..<inSpan.upperBound - first]
    }
    return values
  }

  private func span(_ index: Int, of reference: Reference) throws -> [Float] {
    let key = Span(tensor: reference.tensor.name, span: index)
    if let known = shelf.withLock({ $0.spans[key] }) { return known }
    let part = reference.tensor.parts[0]
    let planes = try file.readSpan(index, of: part)
    let decoded = try Self.decoded(planes, count: part.elements(inSpan: index), columns: part.columns) {
      try reference.codec.decode($0, into: $1)
    }
    shelf.withLock { shelf in
      guard shelf.spans.updateValue(decoded, forKey: key) == nil else { return }
      shelf.order.append(key)
      shelf.bytes += decoded.count * 4
      while shelf.bytes > Self.capacity, shelf.order.count > 1 {
        shelf.bytes -= (shelf.spans.removeValue(forKey: shelf.order.removeFirst())?.count ?? 0) * 4
      }
    }
    return decoded
  }

  private static func decoded(
    _ planes: [[UInt8]], count: Int, columns: Int,
    _ decode: (EncodedSpan, UnsafeMutableBufferPointer<Float>) throws -> Void
  ) throws -> [Float] {
    let buffers = planes.map { bytes in
      let buffer = ByteBuffer(count: bytes.count)
      buffer.withMutableBytes { $0.copyBytes(from: bytes) }
      return buffer
    }
    return try [Float](unsafeUninitializedCapacity: count) { output, filled in
      try ByteBuffer.withMutableBytes(of: buffers) { planes in
        let span = EncodedSpan(
          planes: planes.map { UnsafeRawBufferPointer($0) }, elements: count, columns: columns)
        try decode(span, UnsafeMutableBufferPointer(rebasing: output[..<count]))
      }
      filled = count
    }
  }
}

/// A tensor that is stored beside another one, which isn't there or has another shape.
public struct UnknownReference: BadFileError, Equatable {
  public var path: String
  public var tensor: String
  public var reference: String?

  public var description: String {
    let name = reference.map { "'\($0)'" } ?? "no tensor"
    return "\(path), tensor '\(tensor)': it is stored beside \(name), which isn't there or doesn't fit"
  }
}
