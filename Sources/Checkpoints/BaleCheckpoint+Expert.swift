import BaleFormat
import Codecs
import Tensors

/// A matrix of an expert, decoded.
public struct ExpertTensor: Sendable {
  /// The name of the tensor that it is, or that it is a slice of.
  public var name: String
  public var shape: Shape
  /// The dtype that the values had in their source.
  public var dtype: DType?
  public var values: [Float]
}

extension BaleCheckpoint {
  /// One expert of one layer, both counted from 0: one read of its record, from a 16 KiB boundary to one, and what is
  /// resident. Throws `NoExpertRecord`, `BaleError` or `CodecError`.
  public func expert(layer: Int, expert: Int) throws -> [ExpertTensor] {
    guard let record = file.record(layer: layer, expert: expert) else {
      throw NoExpertRecord(path: path, layer: layer, expert: expert)
    }
    let content = try file.readRecord(record)
    return try record.parts.indices.map { try decode($0, of: content) }
  }

  private func decode(_ index: Int, of content: RecordContent) throws -> ExpertTensor {
    let (name, part) = content.record.parts[index]
    guard let tensor = file.tensor(named: name), let shape = Self.shape(of: part, in: tensor) else {
      throw UnknownReference(path: path, tensor: name, reference: nil)
    }
    let codec = try CodecRegistry.codec(tensor.encoding)
    try file.check(tensor, against: codec)
    var values: [Float] = []
    values.reserveCapacity(part.elements)
    for span in 0..<part.spanCount {
      let planes = codec.planes.indices.map { plane in
        codec.planes[plane].extent == .whole
          ? content.withPlane(plane, part: index) { Array($0) }
          : content.withChunk(span, plane: plane, part: index) { Array($0) }
      }
      let first = span * part.spanElements
      values += try references.decode(
        planes, of: name, codec, range: first..<first + part.elements(inSpan: span), columns: part.columns)
    }
    return ExpertTensor(name: name, shape: shape, dtype: tensor.dtype, values: values)
  }

  /// A slice of a stack loses the dimension that counts experts.
  private static func shape(of part: BalePart, in tensor: BaleTensor) -> Shape? {
    if part.range.count == tensor.shape.dimensions.first { return tensor.shape }
    let rest = Array(tensor.shape.dimensions.dropFirst())
    return Shape(part.range.count == 1 ? rest : [part.range.count] + rest)
  }
}

/// A file that keeps no such expert in a record of its own.
public struct NoExpertRecord: Error, Equatable, CustomStringConvertible {
  public var path: String
  public var layer: Int
  public var expert: Int

  public var description: String {
    "\(path): it has no record of expert \(expert) of layer \(layer); files packed losslessly keep no experts apart"
  }
}
