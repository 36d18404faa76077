import Codecs
import GGUF
import Tensors

struct ReverseMapBuilder {
  let family: ArchitectureFamily
  let metadata: GGUFMetadata
  let tensors: [GGUFTensorInfo]
  let dtype: DType
  private(set) var output: [HuggingFaceMappedTensor] = []
  private var dropped: [ArchitectureMap.Dropped] = []
  private let positions: [String: Int]
  /// Rules by each of their targets.
  private let rules: [String: [TensorRule]]

  init(family: ArchitectureFamily, metadata: GGUFMetadata, tensors: [GGUFTensorInfo], dtype: DType) {
    self.family = family
    self.metadata = metadata
    self.tensors = tensors
    self.dtype = dtype
    positions = Dictionary(tensors.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    var rules: [String: [TensorRule]] = [:]
    for rule in family.rules where rule.change != .dropped {
      for target in rule.targets { rules[target, default: []].append(rule) }
    }
    self.rules = rules
  }

  mutating func build() throws(ArchitectureError) -> ReverseMap {
    for index in tensors.indices { try add(index) }
    for name in ["token_embd.weight", "output_norm.weight"] where positions[name] == nil { throw .missingTensor(name) }
    return ReverseMap(
      tensors: output.sorted { Array($0.name.utf8).lexicographicallyPrecedes($1.name.utf8) }, dropped: dropped)
  }

  private mutating func add(_ index: Int) throws(ArchitectureError) {
    let tensor = tensors[index]
    if ["rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"].contains(tensor.name) {
      dropped.append(ArchitectureMap.Dropped(tensor: index, reason: "follows from the configuration"))
      return
    }
    let name = NumberedName(tensor.name)
    let isPacked = tensor.type == .mxfp4
    let candidates = rules[name.pattern] ?? []
    let rule = candidates.first { Self.isPacked($0) == isPacked } ?? candidates.first { !Self.isPacked($0) }
    guard let rule else { throw .unknownTensor(tensor.name) }
    // What was cut in two is joined when its first part comes.
    guard rule.targets[0] == name.pattern else { return try checkPartner(of: rule, name) }
    try apply(rule, index, name)
  }

  private static func isPacked(_ rule: TensorRule) -> Bool {
    rule.change == .mxfp4 || rule.change == .alternatingMXFP4
  }

  private func checkPartner(of rule: TensorRule, _ name: NumberedName) throws(ArchitectureError) {
    let first = NumberedName.fill(rule.targets[0], layer: name.layer)
    guard positions[first] != nil else { throw .missingTensor(first) }
  }

  private mutating func apply(_ rule: TensorRule, _ index: Int, _ name: NumberedName) throws(ArchitectureError) {
    let shape = tensors[index].shape
    switch rule.change {
    case .none, .vocabularyRows: emit(rule, name, try untrimmed(index), [whole(index)])
    case .plusOne: emit(rule, name, shape, [whole(index)], addend: -1)
    case .queryHeads, .keyHeads: try addHeads(rule, index, name)
    case .expert: try addExperts(rule, index, name)
    case .halves, .alternating, .alternatingColumns: try join(rule, index, name)
    case .transposed: try addTransposed(rule, index, name)
    case .keyValueHeads: try addKeyValueHeads(rule, index, name)
    case .mxfp4, .alternatingMXFP4: try addPacked(rule, index, name)
    case .dropped: return
    }
  }

  /// The shape of a tensor, with the dimension of 1 that llama-quantize has taken from the gate of shared experts.
  private func untrimmed(_ index: Int) throws(ArchitectureError) -> Shape {
    let shape = tensors[index].shape
    guard shape.rank == 1, tensors[index].name.hasSuffix("ffn_gate_inp_shexp.weight") else { return shape }
    return try self.shape([1, shape.columns], index)
  }

  private mutating func emit(
    _ rule: TensorRule, _ name: NumberedName, _ shape: Shape, _ inputs: [MappedInput],
    content: MappedContent = .concatenated, addend: Float = 0, expert: Int? = nil
  ) {
    output.append(
      HuggingFaceMappedTensor(
        name: NumberedName.fill(rule.source, layer: name.layer, expert: expert), shape: shape, type: dtype,
        content: content, inputs: inputs, addend: addend))
  }

  private func whole(_ index: Int, transposed: MatrixShape? = nil) -> MappedInput {
    MappedInput(tensor: index, rowElements: tensors[index].shape.columns, transposed: transposed)
  }

  private func shape(_ dimensions: [Int], _ index: Int) throws(ArchitectureError) -> Shape {
    guard let shape = Shape(dimensions) else {
      throw .shape(tensor: tensors[index].name, found: tensors[index].shape, expected: "less")
    }
    return shape
  }

  /// The tensor's dimensions, which must be so many.
  private func dimensions(_ index: Int, _ rank: Int) throws(ArchitectureError) -> [Int] {
    let shape = tensors[index].shape
    guard shape.rank == rank else {
      throw .shape(tensor: tensors[index].name, found: shape, expected: "\(rank) dimensions")
    }
    return shape.dimensions
  }

  /// The other part of what was cut in two.
  private func partner(_ rule: TensorRule, _ name: NumberedName) throws(ArchitectureError) -> Int {
    let second = NumberedName.fill(rule.targets[1], layer: name.layer)
    guard let index = positions[second] else { throw .missingTensor(second) }
    return index
  }

  private mutating func addHeads(_ rule: TensorRule, _ index: Int, _ name: NumberedName) throws(ArchitectureError) {
    let key = "\(family.name).attention.head_count" + (rule.change == .keyHeads ? "_kv" : "")
    guard let heads = metadata.integer(key) ?? metadata.integer("\(family.name).attention.head_count") else {
      throw .missingKey(key)
    }
    let shape = tensors[index].shape
    let rows = RowSelection.headRestored(heads: heads)
    guard let count = shape.dimensions.first, count > 0, rows.count(of: count) != nil else {
      throw .shape(tensor: tensors[index].name, found: shape, expected: "\(heads) heads of an even size")
    }
    let rowElements = shape.rank == 1 ? 1 : shape.columns
    emit(rule, name, shape, [MappedInput(tensor: index, rowElements: rowElements, rows: rows)])
  }

  private mutating func addExperts(_ rule: TensorRule, _ index: Int, _ name: NumberedName) throws(ArchitectureError) {
    let stack = try dimensions(index, 3)
    let key = "\(family.name).expert_count"
    guard let experts = metadata.integer(key) else { throw .missingKey(key) }
    guard stack[0] == experts, experts <= MapBuilder.mostExperts else {
      throw .shape(tensor: tensors[index].name, found: tensors[index].shape, expected: "\(experts) experts")
    }
    let matrix = try shape([stack[1], stack[2]], index)
    for expert in 0..<experts {
      let rows = RowSelection.range(expert * stack[1]..<(expert + 1) * stack[1])
      emit(
        rule, name, matrix, [MappedInput(tensor: index, rowElements: stack[2], rows: rows)], expert: expert)
    }
  }

  /// Gate and up back in one tensor.
  private mutating func join(_ rule: TensorRule, _ index: Int, _ name: NumberedName) throws(ArchitectureError) {
    let other = try partner(rule, name)
    var dimensions = tensors[index].shape.dimensions
    guard tensors[other].shape == tensors[index].shape, dimensions.count >= 2 else {
      throw .shape(
        tensor: tensors[other].name, found: tensors[other].shape, expected: "that of '\(tensors[index].name)'")
    }
    let last = dimensions.count - 1
    var transposed: MatrixShape?
    var run = 1
    switch rule.change {
    case .halves:
      run = dimensions[last - 1] * dimensions[last]
      dimensions[last - 1] *= 2
    case .alternatingColumns:
      transposed = MatrixShape(rows: dimensions[last - 1], columns: dimensions[last])
      dimensions.swapAt(last - 1, last)
      dimensions[last] *= 2
    default: dimensions[last] *= 2
    }
    emit(
      rule, name, try shape(dimensions, index),
      [whole(index, transposed: transposed), whole(other, transposed: transposed)],
      content: .interleaved(runs: [run, run]))
  }

  private mutating func addTransposed(_ rule: TensorRule, _ index: Int, _ name: NumberedName) throws(ArchitectureError)
  {
    let stack = try dimensions(index, 3)
    let matrix = MatrixShape(rows: stack[1], columns: stack[2])
    emit(rule, name, try shape([stack[0], stack[2], stack[1]], index), [whole(index, transposed: matrix)])
  }

  /// Each head's key rows, transposed back, and its value rows.
  private mutating func addKeyValueHeads(
    _ rule: TensorRule, _ index: Int, _ name: NumberedName
  ) throws(ArchitectureError) {
    let other = try partner(rule, name)
    let (key, value) = (try dimensions(index, 3), try dimensions(other, 3))
    guard key[0] == value[0], key[1] == value[2] else {
      throw .shape(
        tensor: tensors[other].name, found: tensors[other].shape, expected: "to match '\(tensors[index].name)'")
    }
    emit(
      rule, name, try shape([key[0] * (key[2] + value[1]), key[1]], index),
      [whole(index, transposed: MatrixShape(rows: key[1], columns: key[2])), whole(other)],
      content: .interleaved(runs: [key[2] * key[1], value[1] * value[2]]))
  }

  /// Codes and scales in tensors of their own.
  private mutating func addPacked(_ rule: TensorRule, _ index: Int, _ name: NumberedName) throws(ArchitectureError) {
    var inputs = [whole(index)]
    let stack = try dimensions(index, 3)
    if rule.targets.count == 2 {
      let other = try partner(rule, name)
      guard tensors[other].shape == tensors[index].shape, tensors[other].type == .mxfp4 else {
        throw .shape(
          tensor: tensors[other].name, found: tensors[other].shape, expected: "that of '\(tensors[index].name)'")
      }
      inputs.append(whole(other))
    }
    let blocks = stack[2] / GGMLType.mxfp4.blockElements
    let rows = stack[1] * inputs.count
    let codes = NumberedName.fill(rule.source, layer: name.layer)
    output.append(
      HuggingFaceMappedTensor(
        name: codes, shape: try shape([stack[0], rows, blocks, MXFP4Repack.codeBytes], index), type: .u8,
        content: .mxfp4Codes, inputs: inputs))
    output.append(
      HuggingFaceMappedTensor(
        name: String(codes.dropLast("_blocks".count)) + "_scales", shape: try shape([stack[0], rows, blocks], index),
        type: .u8, content: .mxfp4Scales, inputs: inputs))
  }
}
