import Codecs
import JSON
import Tensors

/// The experts of gpt-oss in MXFP4 under Hugging Face's names. Their encoding is seen with outputs before inputs.
public struct GPTOSSWriter: LayoutWriter {
  public let name = "gpt-oss-mxfp4"

  public var defaultEncoding: any Codec { MXCodec(.e2m1) }

  /// gpt-oss names its experts without `.weight`.
  public let suffix = ""

  public func exactEncoding(for codec: any Codec) -> (any Codec)? {
    codec.descriptor == defaultEncoding.descriptor ? codec : nil
  }

  public func takes(_ name: String, _ shape: Shape) -> Bool { Self.isExperts(name, rank: shape.rank) }

  /// True for the weights of all experts of a layer.
  public static func isExperts(_ name: String, rank: Int) -> Bool {
    rank == 3 && ["mlp.experts.gate_up_proj", "mlp.experts.down_proj"].contains { name.hasSuffix($0) }
  }

  public func holds(_ shape: Shape, as codec: any Codec) -> Bool {
    shape.rank == 3 && shape.columns % MXCodec.block == 0
  }

  public func stored(_ module: String, shape: Shape, codec: any Codec) throws(CodecError) -> [WrittenTensor] {
    let grid = shape.dimensions.dropLast() + [shape.columns / MXCodec.block]
    return [
      WrittenTensor("\(module)_blocks", .u8, grid + [MXCodec.block / 2], .plane(Arrangement(plane: 0))),
      WrittenTensor("\(module)_scales", .u8, Array(grid), .plane(Arrangement(plane: 1))),
    ]
  }

  public func configuration(_ codec: any Codec, columns: Int, plain: [String]) -> [(key: String, value: JSONValue)] {
    [("quantization_config", ["quant_method": "mxfp4", "modules_to_not_convert": .array(plain.map { .string($0) })])]
  }
}
