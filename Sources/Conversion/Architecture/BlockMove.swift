import Architectures
import Checkpoints
import Codecs
import Tensors

/// Codes that a GGUF tensor can keep: its rows come from tensors in an encoding that ggml has too, so that they are
/// moved into ggml's blocks without touching a bit.
struct BlockMove: Sendable {
  let type: GGMLType
  /// Factors of whole tensors, which GGUF keeps in a tensor of its own: one, or one an expert; nil where there are none.
  let factors: [Float]?
  private let relayout: any Relayout
  private let planes: Int

  /// Nil if the tensor has to be made of decoded values. Throws if a factor can't be read.
  init?(_ tensor: GGUFMappedTensor, of source: any Checkpoint) throws {
    guard let first = tensor.inputs.first, tensor.addend == 0,
      let way = Self.way(of: source.tensors[first.tensor].codec)
    else { return nil }
    let codec = source.tensors[first.tensor].codec.descriptor
    let columns = tensor.shape.columns
    guard columns % way.type.blockElements == 0,
      tensor.inputs.allSatisfy({ input in
        source.tensors[input.tensor].codec.descriptor == codec && input.transposed == nil
          && input.rowElements == columns && source.tensors[input.tensor].shape.columns == columns
      })
    else { return nil }
    switch tensor.content {
    case .concatenated: break
    case .interleaved(let runs): guard runs.allSatisfy({ $0 % columns == 0 }) else { return nil }
    default: return nil
    }
    (type, relayout, planes) = (way.type, way.relayout, way.planes)
    guard let nvfp4 = source.tensors[first.tensor].codec as? NVFP4Codec, nvfp4.global != .none else {
      factors = nil
      return
    }
    let all = try tensor.inputs.map { try nvfp4.multiplier(of: $0.tensor, in: source) }
    if tensor.shape.rank == 3, all.count == tensor.shape.dimensions[0], tensor.content == .concatenated {
      factors = all
    } else {
      guard all.allSatisfy({ $0 == all[0] }) else { return nil }
      factors = [Float](repeating: all[0], count: tensor.shape.rank == 3 ? tensor.shape.dimensions[0] : 1)
    }
  }

  /// The way from an encoding, less the factor of the tensor, to ggml's blocks; how many of its planes it takes.
  private static func way(
    of codec: any Codec
  ) -> (type: GGMLType, relayout: any Relayout, planes: Int)? {
    let bare: any Codec = (codec as? NVFP4Codec).map { NVFP4Codec(global: .none, zero: $0.zero) } ?? codec
    guard !(bare is GGMLCodec) else { return nil }
    for type in [GGMLType.mxfp4, .nvfp4] {
      guard let ggml = try? type.codec, let relayout = Relayouts.find(from: bare, to: ggml) else { continue }
      return (type, relayout, bare.planes.count)
    }
    return nil
  }

  /// Bytes of so many elements, whole blocks of them.
  func bytes(_ elements: Int) -> Int { elements / type.blockElements * type.blockBytes }

  func run(_ input: EncodedSpan, into target: UnsafeMutableRawBufferPointer) throws(CodecError) {
    let bare = EncodedSpan(
      planes: Array(input.planes.prefix(planes)), elements: input.elements, columns: input.columns)
    try relayout.run(bare, into: [target])
  }

  /// The tensor that holds the factors beside one of ggml's: `X.scale` beside `X.weight`.
  func factorTensor(beside tensor: GGUFMappedTensor) -> GGUFMappedTensor? {
    guard let factors, let shape = Shape([factors.count]), tensor.name.hasSuffix(".weight") else { return nil }
    let name = String(tensor.name.dropLast("weight".count)) + "scale"
    return GGUFMappedTensor(name: name, shape: shape, type: .f32, content: .constant(factors), inputs: [])
  }
}

extension NVFP4Codec {
  /// What the scales of a tensor are multiplied by.
  fileprivate func multiplier(of tensor: Int, in source: any Checkpoint) throws -> Float {
    let reader = SpanReader(source, tensor: tensor)
    let unit = min(reader.codec.alignment(columns: reader.columns), reader.elements)
    return try reader.read(0..<unit).withSpan { span in
      let factor = Float(bitPattern: UInt32(littleEndian: span.planes[2].loadUnaligned(as: UInt32.self)))
      return multiplier(factor: factor)
    }
  }
}
