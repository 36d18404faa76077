import ByteIO
import Codecs
import Tensors

/// Turns runs of a tensor's elements from one encoding into another, by the shortest way that exists: as they are,
/// between plain dtypes with one rounding, through planes, by moving codes, or through F32.
public struct Transcoder: Sendable {
  public let source: any Codec
  public let target: any Codec
  public let rule: ScaleRule?
  public let measured: Bool
  /// What the columns weigh when values are quantized.
  var importance: TensorImportance?
  private let route: Route

  private enum Route: Sendable {
    case copy
    case convert(from: DType, to: DType)
    case split(any LosslessCodec)
    case join(any LosslessCodec)
    case relayout(any Relayout)
    case dequantizeToBF16
    case requantize(any QuantizingCodec, ScaleRule?)
    /// Its bytes aren't counted beforehand: `encode(_:with:)` makes them.
    case variable
  }

  /// Finds the way.
  /// - Parameters:
  ///   - rule: how scales are chosen; nil is the codec's default.
  ///   - measured: true if what it costs is to be told.
  /// Throws `CodecError.descriptor` if the target can't be made from floats and nothing shorter leads to it.
  public init(
    from source: any Codec, to target: any Codec, rule: ScaleRule? = nil, measured: Bool
  ) throws(CodecError) {
    self.source = source
    self.target = target
    self.rule = rule
    self.measured = measured
    route = try Self.route(from: source, to: target, rule: rule, measured: measured)
  }

  private static func route(
    from source: any Codec, to target: any Codec, rule: ScaleRule?, measured: Bool
  ) throws(CodecError) -> Route {
    if let route = exactRoute(from: source, to: target) { return route }
    if let from = (source as? PlainCodec)?.dtype, let to = (target as? PlainCodec)?.dtype {
      return .convert(from: from, to: to)
    }
    if (target as? PlainCodec)?.dtype == .bf16, !measured { return .dequantizeToBF16 }
    if target is any VariableCodec { return .variable }
    guard let quantizer = target as? any QuantizingCodec else {
      throw .descriptor("\(target.descriptor)", reason: "this encoding can be read but not made from floats")
    }
    return .requantize(quantizer, rule)
  }

  private static func exactRoute(from source: any Codec, to target: any Codec) -> Route? {
    if source.descriptor == target.descriptor { return .copy }
    if let lossless = target as? any LosslessCodec, PlainCodec(lossless.dtype).descriptor == source.descriptor {
      return .split(lossless)
    }
    if let lossless = source as? any LosslessCodec, PlainCodec(lossless.dtype).descriptor == target.descriptor {
      return .join(lossless)
    }
    return Relayouts.find(from: source, to: target).map { .relayout($0) }
  }

  /// True if the bits of every value come through, so that nothing has to be measured.
  public static func isExact(from source: any Codec, to target: any Codec) -> Bool {
    if exactRoute(from: source, to: target) != nil { return true }
    guard let from = (source as? PlainCodec)?.dtype, let to = (target as? PlainCodec)?.dtype else { return false }
    return Elements.isExact(from: from, to: to)
  }

  /// True if the bytes are the same, so that they may be copied without being looked at.
  public var isCopy: Bool { if case .copy = route { true } else { false } }

  /// Turns a run of elements over. `planes` have room for what the target says, for this many elements.
  /// - Parameter start: the place of the first element in the tensor; only importance asks for it.
  /// - Returns: what it cost; nothing where the way is exact.
  /// Throws `CodecError`.
  public func run(
    _ input: EncodedSpan, at start: Int = 0, into planes: [UnsafeMutableRawBufferPointer],
    statistics: [TensorStatistic] = []
  ) throws -> ErrorStatistics {
    switch route {
    case .copy:
      for (from, to) in zip(input.planes, planes) { to.copyMemory(from: from) }
    case .convert(let from, let to):
      return try convert(input, from: from, to: to, into: planes)
    case .split(let codec):
      try codec.split(input.planes[0], into: planes)
    case .join(let codec):
      try codec.join(input, into: planes[0])
    case .relayout(let relayout):
      try relayout.run(input, into: planes)
    case .dequantizeToBF16:
      try source.decodeBF16(input, into: planes[0].bindMemory(to: UInt16.self))
    case .requantize(let codec, let rule):
      return try requantize(input, at: start, with: codec, rule: rule, statistics: statistics, into: planes)
    case .variable:
      throw CodecError.descriptor("\(target.descriptor)", reason: "its planes have no sizes to be written into")
    }
    return ErrorStatistics()
  }
}
