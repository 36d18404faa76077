import Checkpoints
import Codecs
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Weights to be compressed.
final class LosslessData {
  let dtype: DType
  let bytes: UnsafeMutableRawBufferPointer

  private init(_ dtype: DType, count: Int) {
    self.dtype = dtype
    bytes = .allocate(byteCount: count, alignment: 64)
  }

  deinit { bytes.deallocate() }

  /// Gaussian weights of three dtypes, and the BF16 tensors of a model if one is named.
  static func all(model: String?) throws -> [(name: String, data: LosslessData)] {
    var all: [(String, LosslessData)] = []
    for (dtype, mebibytes) in [(DType.bf16, 256), (.f16, 64), (.f32, 64)] {
      all.append(("\(dtype.rawValue), Gaussian", try gaussian(dtype, bytes: mebibytes << 20)))
    }
    if let model { all.append((model, try stored(model))) }
    return all
  }

  /// Layers of 32 standard deviations from 0.005 to 1, each with as many weights.
  private static func gaussian(_ dtype: DType, bytes: Int) throws -> LosslessData {
    let data = LosslessData(dtype, count: bytes)
    let layer = bytes * 8 / dtype.bits / 32
    let values = UnsafeMutableBufferPointer<Float>.allocate(capacity: layer)
    defer { values.deallocate() }
    var numbers = Gaussian(seed: 1)
    for index in 0..<32 {
      let deviation = 0.005 * pow(200, Double(index) / 31)
      for at in values.indices { values[at] = Float(numbers.next() * deviation) }
      let size = layer * dtype.bits / 8
      try Elements.encode(
        UnsafeBufferPointer(values), dtype,
        into: UnsafeMutableRawBufferPointer(rebasing: data.bytes[index * size..<(index + 1) * size]))
    }
    return data
  }

  private static func stored(_ model: String) throws -> LosslessData {
    let checkpoint = try Checkpoints.open(model)
    let chosen = checkpoint.tensors.indices.filter {
      (checkpoint.tensors[$0].codec as? PlainCodec)?.dtype == .bf16
    }
    let data = LosslessData(.bf16, count: chosen.reduce(0) { $0 + checkpoint.tensors[$1].storedBytes })
    var start = 0
    for index in chosen {
      let (tensor, end) = (checkpoint.tensors[index], start + checkpoint.tensors[index].storedBytes)
      let target = UnsafeMutableRawBufferPointer(rebasing: data.bytes[start..<end])
      _ = try checkpoint.read(index, elements: 0..<tensor.shape.elements, into: [target])
      start = end
    }
    return data
  }
}

/// Numbers of a standard normal distribution by the polar method (Marsaglia and Bray, 1964).
private struct Gaussian {
  private var state: UInt64
  private var spare: Double?

  init(seed: UInt64) { state = seed }

  private mutating func uniform() -> Double {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Double(state >> 11) * 0x1p-52 - 1
  }

  mutating func next() -> Double {
    if let value = spare {
      spare = nil
      return value
    }
    while true {
      let (x, y) = (uniform(), uniform())
      let square = x * x + y * y
      guard square > 0, square < 1 else { continue }
      let factor = sqrt(-2 * log(square) / square)
      spare = y * factor
      return x * factor
    }
  }
}
