import Codecs
import Tensors

/// A codec with a plane of every kind, to exercise the container: codes of one byte, a scale of two bytes for each
/// 16 codes, a table of 12 bytes, and as many outliers as the writer likes. It decodes nothing.
struct TestCodec: Codec {
  var hasOutliers = true

  var descriptor: CodecDescriptor { CodecDescriptor("test") }

  var planes: [Plane] {
    let fixed = [Plane(.codes), Plane(.scales), Plane(.table, .whole)]
    return hasOutliers ? fixed + [Plane(.outlierValues, .variable)] : fixed
  }

  func alignment(columns: Int) -> Int { 16 }

  func check(_ shape: Shape) throws(CodecError) {
    guard shape.elements % 16 == 0 else {
      throw .shape(codec: "test", shape: shape.dimensions, reason: "it isn't a multiple of 16")
    }
  }

  func bytes(plane: Int, elements: Int, columns: Int) -> Int {
    switch plane {
    case 0: elements
    case 1: elements / 16 * 2
    case 2: 12
    default: elements
    }
  }

  func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    throw .descriptor("test", reason: "it decodes nothing")
  }

  func decodeReference(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    try decode(input, into: output)
  }
}
