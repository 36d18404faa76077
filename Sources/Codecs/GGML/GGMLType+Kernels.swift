import CKernels

/// Encodes blocks until one that only the reference can round; returns how many it has encoded.
typealias BlocksEncoder = @Sendable (UnsafePointer<Float>?, Int, UnsafeMutablePointer<UInt8>?) -> Int

/// Decodes all blocks, or none; returns how many.
typealias BlocksDecoder = @Sendable (UnsafePointer<UInt8>?, Int, UnsafeMutablePointer<Float>?) -> Int

extension GGMLType {
  /// The vector encoder of values without importance, if the type has one.
  var blocksEncoder: BlocksEncoder? {
    switch self {
    case .q4_0: bale_ggml_encode_q4_0
    case .q4_1: bale_ggml_encode_q4_1
    case .q5_0: bale_ggml_encode_q5_0
    case .q5_1: bale_ggml_encode_q5_1
    case .q8_0: bale_ggml_encode_q8_0
    case .mxfp4: bale_ggml_encode_mxfp4
    case .q4_K: bale_ggml_encode_q4_k
    case .q5_K: bale_ggml_encode_q5_k
    case .q6_K: bale_ggml_encode_q6_k
    default: nil
    }
  }

  /// The vector decoder, if the type has one.
  var blocksDecoder: BlocksDecoder? {
    switch self {
    case .q4_0: bale_ggml_decode_q4_0
    case .q8_0: bale_ggml_decode_q8_0
    case .mxfp4: bale_ggml_decode_mxfp4
    case .q4_K: bale_ggml_decode_q4_k
    case .q5_K: bale_ggml_decode_q5_k
    case .q6_K: bale_ggml_decode_q6_k
    case .tq1_0: bale_ggml_decode_tq1_0
    case .tq2_0: bale_ggml_decode_tq2_0
    default: nil
    }
  }
}
