import ByteIO
import Checkpoints
import Codecs
import Experts
import JSON
import Tensors

/// A checkpoint with fewer experts: some dropped, or merged into their means, the rest renumbered, and the routers' rows
/// to match. What isn't merged keeps its bytes.
public struct PrunedCheckpoint: CheckpointView {
  /// A slice of a source tensor along its first dimension; the whole of one that holds one expert.
  private struct Slice: Sendable {
    var tensor: Int
    /// First element.
    var start: Int
  }

  /// What a tensor is made of: runs of equal length, each the mean of slices.
  private struct Content: Sendable {
    var runs: [[Slice]]
    var runElements: Int
  }

  public let tensors: [CheckpointTensor]
  /// `config.json` with the new number of experts; nil where there was none.
  public let config: [UInt8]?
  public let source: any Checkpoint
  private let contents: [Content]

  /// Throws `PlanError` for a checkpoint that can't be pruned: not of safetensors' names, layers that would have
  /// different numbers of experts, or encodings that can't be cut or merged.
  public init(_ source: any Checkpoint, prunings: [ExpertPruning]) throws {
    self.source = source
    let counts = Set(prunings.map(\.sources.count))
    guard let count = counts.first, counts.count == 1 else {
      throw PlanError(reason: "all layers should keep the same number of experts; config.json has one number for all")
    }
    let byLayer = Dictionary(prunings.map { ($0.layer, $0) }) { first, _ in first }
    let positions = Dictionary(source.tensors.enumerated().map { ($1.name, $0) }) { first, _ in first }
    var tensors: [CheckpointTensor] = []
    var contents: [Content] = []
    for (index, tensor) in source.tensors.enumerated() {
      let pruning = TensorRole.layer(of: tensor.name).flatMap { byLayer[$0] }
      guard let made = try Self.made(tensor, index, pruning, positions, in: source) else { continue }
      tensors.append(made.tensor)
      contents.append(made.content)
    }
    self.tensors = tensors
    self.contents = contents
    config = try Self.config(source, experts: count)
  }

  /// What becomes of a tensor; nil for one of an expert that goes.
  private static func made(
    _ tensor: CheckpointTensor, _ index: Int, _ pruning: ExpertPruning?, _ positions: [String: Int],
    in source: any Checkpoint
  ) throws -> (tensor: CheckpointTensor, content: Content)? {
    let whole = Content(runs: [[Slice(tensor: index, start: 0)]], runElements: tensor.shape.elements)
    guard let pruning else { return (tensor, whole) }
    switch tensor.role {
    case .expert(_, let expert?, _), .expertBias(_, let expert?):
      guard let number = pruning.kept.firstIndex(of: expert) else { return nil }
      let slices = try pruning.sources[number].map { member in
        guard let place = positions[name(tensor.name, expert: member)] else {
          throw PlanError(tensor: tensor.name, reason: "expert \(member) has no such tensor")
        }
        return Slice(tensor: place, start: 0)
      }
      let renamed = try copy(tensor, name: name(tensor.name, expert: number), merged: slices.count > 1)
      return (renamed, Content(runs: [slices], runElements: tensor.shape.elements))
    case .expert(_, nil, _), .expertBias(_, nil): return try stack(tensor, index, pruning)
    case .router where tensor.shape.dimensions.first == pruning.total: return try stack(tensor, index, pruning)
    default: return (tensor, whole)
    }
  }

  /// A tensor whose first dimension counts experts.
  private static func stack(
    _ tensor: CheckpointTensor, _ index: Int, _ pruning: ExpertPruning
  ) throws -> (tensor: CheckpointTensor, content: Content) {
    let stride = tensor.shape.elements / max(pruning.total, 1)
    guard tensor.shape.dimensions.first == pruning.total,
      let shape = Shape([pruning.sources.count] + tensor.shape.dimensions.dropFirst())
    else { throw PlanError(tensor: tensor.name, reason: "its first dimension doesn't count the experts") }
    guard tensor.codec is PlainCodec else {
      throw PlanError(
        tensor: tensor.name, reason: "a stack in \(tensor.codec.shortName) can't be cut; dequantize it first")
    }
    let runs = pruning.sources.map { $0.map { Slice(tensor: index, start: $0 * stride) } }
    let smaller = try copy(tensor, shape: shape, merged: runs.contains { $0.count > 1 })
    return (smaller, Content(runs: runs, runElements: stride))
  }

  private static func copy(
    _ tensor: CheckpointTensor, name: String? = nil, shape: Shape? = nil, merged: Bool
  ) throws -> CheckpointTensor {
    if merged, (tensor.codec as? PlainCodec)?.dtype.isFloat != true {
      throw PlanError(
        tensor: tensor.name, reason: "experts in \(tensor.codec.shortName) can't be merged; dequantize them first")
    }
    return CheckpointTensor(
      name: name ?? tensor.name, shape: shape ?? tensor.shape, codec: tensor.codec, sourceDType: tensor.sourceDType,
      error: tensor.error)
  }

  /// The name with another number behind `experts.`.
  private static func name(_ name: String, expert: Int) -> String {
    var parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    if let index = parts.firstIndex(of: "experts"), index + 1 < parts.count { parts[index + 1] = "\(expert)" }
    return parts.joined(separator: ".")
  }

  /// The keys by which models say how many routed experts they have.
  private static let countKeys = ["num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts"]

  private static func config(_ source: any Checkpoint, experts: Int) throws -> [UInt8]? {
    guard let file = source.files.first(where: { $0.name == "config.json" }) else { return nil }
    guard case .object(var object) = try JSONValue(parsing: try source.read(0..<file.size, of: file)) else {
      return nil
    }
    for key in countKeys where object[key] != nil { object[key] = .integer(experts) }
    return JSONValue.object(object).encoded(.python(indent: 2))
  }

  public func read(
    _ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    let content = contents[tensor]
    if content.runs.count == 1, content.runs[0].count == 1, content.runs[0][0].start == 0 {
      return try source.read(content.runs[0][0].tensor, elements: elements, into: planes)
    }
    guard let dtype = (tensors[tensor].codec as? PlainCodec)?.dtype, content.runElements > 0 else { return [0] }
    let size = dtype.bits / 8
    for run in elements.lowerBound / content.runElements...(max(elements.upperBound, 1) - 1) / content.runElements {
      let first = run * content.runElements
      let wanted = elements.clamped(to: first..<first + content.runElements)
      guard !wanted.isEmpty else { continue }
      let target = UnsafeMutableRawBufferPointer(
        rebasing: planes[0][
          (wanted.lowerBound - elements.lowerBound) * size..<(wanted.upperBound - elements.lowerBound)
            * size])
      try read(content.runs[run], wanted.lowerBound - first..<wanted.upperBound - first, dtype, into: target)
    }
    return [elements.count * size]
  }

  /// A range of a run: copied, or the mean in F64 rounded to the dtype.
  private func read(
    _ slices: [Slice], _ range: Range<Int>, _ dtype: DType, into target: UnsafeMutableRawBufferPointer
  ) throws {
    if slices.count == 1 {
      let start = slices[0].start
      _ = try source.read(
        slices[0].tensor, elements: start + range.lowerBound..<start + range.upperBound, into: [target])
      return
    }
    var sums = [Double](repeating: 0, count: range.count)
    for slice in slices {
      let values = try SpanReader(source, tensor: slice.tensor)
        .values(slice.start + range.lowerBound..<slice.start + range.upperBound)
      values.withFloats { for (index, value) in $0.enumerated() { sums[index] += Double(value) } }
    }
    let means = sums.map { Float($0 / Double(slices.count)) }
    try means.withUnsafeBufferPointer { try Elements.encode($0, dtype, into: target) }
  }

  public func runs(covering elements: Range<Int>, of tensor: Int) -> [Range<Int>] {
    guard !(tensors[tensor].codec is PlainCodec) else { return [elements] }
    return source.runs(covering: elements, of: contents[tensor].runs[0][0].tensor)
  }

  /// What travels along, without the files that hold tensors and the configuration.
  public var files: [CheckpointFile] { source.files.filter { !$0.holdsTensors && $0.name != "config.json" } }
  public func sha256(of file: CheckpointFile) throws -> [UInt8]? { nil }
}
