import Codecs
import Tensors

/// The expert matrices of one layer while they are gathered.
struct ExpertStack {
  /// The layer's expert rules, in the order in which the stacks are written.
  let rules: [TensorRule]
  let experts: Int
  /// For each rule and expert, the tensor's position.
  var found: [[Int?]]
  var missing: Int

  init(rules: [TensorRule], experts: Int) {
    self.rules = rules
    self.experts = experts
    found = Array(repeating: Array(repeating: nil, count: experts), count: rules.count)
    missing = rules.count * experts
  }

  /// The name of the first matrix that isn't there.
  func firstMissing(layer: Int) -> String? {
    for (rule, tensors) in zip(rules, found) {
      if let expert = tensors.firstIndex(of: nil) {
        return NumberedName.fill(rule.source, layer: layer, expert: expert)
      }
    }
    return nil
  }
}

extension MapBuilder {
  /// Most experts that a configuration may ask for.
  static let mostExperts = 65536

  /// Adds an expert's matrix to its layer's stacks, and writes them once the last one is there.
  mutating func addExpert(_ rule: TensorRule, _ index: Int, _ name: NumberedName) throws(ArchitectureError) {
    guard let layer = name.layer, let expert = name.expert else { return }
    var stack: ExpertStack
    if let open = stacks[layer] { stack = open } else { stack = try newStack() }
    guard expert < stack.experts else {
      throw .shape(
        tensor: tensors[index].name, found: tensors[index].shape,
        expected: "only \(stack.experts) experts, as config.json says")
    }
    guard let place = stack.rules.firstIndex(where: { $0.source == rule.source }) else { return }
    stack.found[place][expert] = index
    stack.missing -= 1
    stacks[layer] = stack.missing == 0 ? nil : stack
    if stack.missing == 0 { try write(stack, name) }
  }

  private func newStack() throws(ArchitectureError) -> ExpertStack {
    guard let experts = try parameters.integer(family.expertCount) else {
      throw .missingParameter(family.expertCount.joined(separator: "' or '"))
    }
    guard (1...Self.mostExperts).contains(experts) else {
      throw .parameter(family.expertCount.joined(separator: "' or '"), "is not within 1 and \(Self.mostExperts)")
    }
    return ExpertStack(rules: family.rules.filter { $0.change == .expert }, experts: experts)
  }

  private mutating func write(_ stack: ExpertStack, _ name: NumberedName) throws(ArchitectureError) {
    for (rule, found) in zip(stack.rules, stack.found) {
      let indices = found.compactMap(\.self)
      guard let first = indices.first else { continue }
      for index in indices {
        guard tensors[index].shape == tensors[first].shape, tensors[index].shape.rank == 2 else {
          throw .shape(
            tensor: tensors[index].name, found: tensors[index].shape, expected: "that of '\(tensors[first].name)'")
        }
      }
      let stacked = try shape([indices.count] + tensors[first].shape.dimensions, tensors[first])
      emit(rule, 0, name, stacked, indices.map(whole))
    }
  }

  /// gpt-oss's codes and the scales beside them.
  mutating func addBlocks(_ rule: TensorRule, _ index: Int, _ layer: Int) throws(ArchitectureError) {
    let codes = tensors[index]
    let scalesName = String(codes.name.dropLast("_blocks".count)) + "_scales"
    guard let scalesIndex = positions[scalesName] else { throw .missingTensor(scalesName) }
    let scales = tensors[scalesIndex]
    guard scales.dtype == .u8 else { throw .type(tensor: scales.name, found: scales.dtype) }
    try checkExperts(codes)
    let parts = rule.targets.count
    let dimensions = codes.shape.dimensions
    guard dimensions.count == 4, dimensions[3] == MXFP4Repack.codeBytes, dimensions[1] % parts == 0 else {
      throw .shape(
        tensor: codes.name, found: codes.shape, expected: "16 code bytes a block, and an even number of rows")
    }
    guard scales.shape.dimensions == Array(dimensions.dropLast()) else {
      throw .shape(tensor: scales.name, found: scales.shape, expected: "a scale for each block of '\(codes.name)'")
    }
    let columns = dimensions[2] * GGMLType.mxfp4.blockElements
    let result = try shape([dimensions[0], dimensions[1] / parts, columns], codes)
    for part in 0..<parts {
      let rows =
        parts == 1 ? RowSelection.all : .strided(start: part, step: parts, count: result.rows)
      output.append(
        GGUFMappedTensor(
          name: NumberedName.fill(rule.targets[part], layer: layer), shape: result, type: .mxfp4,
          content: .mxfp4Blocks,
          inputs: [
            MappedInput(tensor: index, rowElements: dimensions[2] * MXFP4Repack.codeBytes, rows: rows),
            MappedInput(tensor: scalesIndex, rowElements: dimensions[2], rows: rows),
          ]))
    }
  }
}
