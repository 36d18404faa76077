import ByteIO
import Codecs
import Tensors

/// Blocks along rows with a scale each, told from the shapes alone: what MX and NVFP4 tensors have in common whatever
/// their names.
struct MicroscalingGrid {
  let codec: any Codec
  let shape: Shape

  /// - Parameters:
  ///   - bytes: bytes that a row of codes takes.
  ///   - codecs: what the tensor may be encoded in, each with its bits a code and its elements a block; the first that
  ///     the number of scales fits is taken.
  /// Nil if none fits.
  init?(
    outer: [Int], bytes: Int, scales: Int, codecs: [(codec: any Codec, bits: Int, block: Int)]
  ) {
    for (codec, bits, block) in codecs {
      guard let total = bytes.multiplied(by: 8), total % bits == 0 else { continue }
      let columns = total / bits
      guard columns.dividedRoundingUp(by: block) == scales, let shape = Shape(outer + [columns]) else { continue }
      self.codec = codec
      self.shape = shape
      return
    }
    return nil
  }

  static let mxfp4: (codec: any Codec, bits: Int, block: Int) = (MXCodec(.e2m1), 4, MXCodec.block)
  static let mxfp6: (codec: any Codec, bits: Int, block: Int) = (MXCodec(.e2m3), 6, MXCodec.block)
  static let mxfp8: (codec: any Codec, bits: Int, block: Int) = (MXCodec(.e4m3), 8, MXCodec.block)

  static func nvfp4(
    _ global: NVFP4Codec.Global, zero: NVFP4Codec.Zero = .signed
  ) -> (codec: any Codec, bits: Int, block: Int) {
    (NVFP4Codec(global: global, zero: zero), 4, NVFP4Codec.block)
  }
}

extension StoredTensors {
  /// A shape with its last dimension multiplied. Throws `LayoutReason.value` on an overflow.
  func shape(_ dimensions: [Int], times factor: Int, of logical: String) throws(LayoutError) -> Shape {
    guard let last = dimensions.last?.multiplied(by: factor), let shape = Shape(dimensions.dropLast() + [last]) else {
      throw fault(.value("its shape overflows"), logical)
    }
    return shape
  }

  /// A tensor of one F32. Throws `LayoutReason.shape` or `LayoutReason.dtype`.
  func checkFactor(_ factor: StoredTensor, of logical: String) throws(LayoutError) {
    try check(factor, [.f32], of: logical)
    guard factor.shape.reduce(1, { $0 &* $1 }) == 1 else {
      throw fault(.shape(stored: factor.name, found: factor.shape, expected: "one number"), logical)
    }
  }

  /// The encoding of NVFP4 with the factors that a tensor has: one, or one a matrix of a stack. Throws
  /// `LayoutReason.shape` or `LayoutReason.dtype`.
  func codec(
    _ grid: MicroscalingGrid, factors: StoredTensor, of logical: String
  ) throws(LayoutError) -> any Codec {
    let count = factors.shape.reduce(1) { $0.multiplied(by: $1) ?? .max }
    guard count != 1, grid.shape.rank == 3, count == grid.shape.dimensions[0], let matrix = grid.codec as? NVFP4Codec
    else {
      try checkFactor(factors, of: logical)
      return grid.codec
    }
    try check(factors, [.f32], of: logical)
    return try naming(logical) { () throws(CodecError) in
      try StackedNVFP4Codec(matrix, rows: grid.shape.dimensions[1])
    }
  }

  /// Of tensors that say how activations are quantized, those that exist: they travel, and change no weight.
  func present(_ names: [String]) -> [StoredTensor] { names.compactMap { self[$0] } }

  /// Why a tensor can't be read whose effective weight is another than the stored one, unless it was made of that too.
  func transform(of tensor: LogicalTensor) -> LayoutError? {
    guard tensor.name.hasSuffix(".weight") else { return nil }
    for suffix in ["pre_quant_scale", "svdquant_lora_a", "svdquant_lora_b"] {
      guard let found = self[tensor.name.dropLast("weight".count) + suffix], !tensor.members.contains(found) else {
        continue
      }
      return fault(
        .unreadable(
          layout: "a weight with '\(suffix)'",
          remedy: "fold it into the weight with its own library first, or pack it as it is into a .bale"),
        tensor.name)
    }
    return nil
  }
}
