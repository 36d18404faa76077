import Codecs
import Tensors

extension MapBuilder {
  /// Writes what one rule makes of one tensor.
  mutating func apply(_ rule: TensorRule, to index: Int, _ name: NumberedName) throws(ArchitectureError) {
    let tensor = tensors[index]
    switch rule.change {
    case .none:
      try checkShape(of: rule, tensor)
      emit(rule, 0, name, tensor.shape, [whole(index)])
    case .plusOne: emit(rule, 0, name, tensor.shape, [whole(index)], addend: 1)
    case .queryHeads, .keyHeads: try addHeads(rule, index, name)
    case .expert: try addExpert(rule, index, name)
    case .halves: try addHalves(rule, index, name)
    case .alternating: try addAlternating(rule, index, name)
    case .transposed, .alternatingColumns: try addTransposed(rule, index, name)
    case .keyValueHeads: try addKeyValueHeads(rule, index, name)
    case .vocabularyRows: try addVocabularyRows(rule, index, name)
    case .mxfp4, .alternatingMXFP4, .dropped: break
    }
  }

  mutating func emit(
    _ rule: TensorRule, _ target: Int, _ name: NumberedName, _ shape: Shape, _ inputs: [MappedInput],
    addend: Float = 0
  ) {
    let target = NumberedName.fill(rule.targets[target], layer: name.layer)
    output.append(
      GGUFMappedTensor(
        name: target, shape: shape, type: type.type(of: target, rank: shape.rank), inputs: inputs, addend: addend))
  }

  func whole(_ index: Int) -> MappedInput { MappedInput(tensor: index, rowElements: tensors[index].shape.columns) }

  /// A tensor whose shape is known to follow from checked ones.
  func shape(_ dimensions: [Int], _ tensor: SourceTensor) throws(ArchitectureError) -> Shape {
    guard let shape = Shape(dimensions) else {
      throw .shape(tensor: tensor.name, found: tensor.shape, expected: "less")
    }
    return shape
  }

  private func checkShape(of rule: TensorRule, _ tensor: SourceTensor) throws(ArchitectureError) {
    let target = rule.targets[0]
    if target == "token_embd.weight" || target == "output.weight" { try checkVocabulary(tensor) }
    if target.hasSuffix(".ffn_gate_inp.weight"), let experts = try parameters.integer(family.expertCount) {
      guard tensor.shape.rank == 2, tensor.shape.dimensions[0] == experts else {
        throw .shape(tensor: tensor.name, found: tensor.shape, expected: "a row for each of \(experts) experts")
      }
    }
    if target.hasSuffix("_exps.weight") || target.hasSuffix("_exps.bias") { try checkExperts(tensor) }
  }

  private func checkVocabulary(_ tensor: SourceTensor) throws(ArchitectureError) {
    guard let hidden = try parameters.integer("hidden_size") else { return }
    guard tensor.shape.rank == 2, tensor.shape.columns == hidden else {
      throw .shape(tensor: tensor.name, found: tensor.shape, expected: "rows of \(hidden) elements")
    }
  }

  /// All experts of a layer in one tensor: their number is the configuration's.
  func checkExperts(_ tensor: SourceTensor) throws(ArchitectureError) {
    guard let experts = try parameters.integer(family.expertCount) else { return }
    guard tensor.shape.rank >= 2, tensor.shape.dimensions[0] == experts else {
      throw .shape(tensor: tensor.name, found: tensor.shape, expected: "\(experts) experts")
    }
  }

  private mutating func addHeads(_ rule: TensorRule, _ index: Int, _ name: NumberedName) throws(ArchitectureError) {
    let tensor = tensors[index]
    var heads = try parameters.positive("num_attention_heads")
    if rule.change == .keyHeads, parameters["num_key_value_heads"] != nil {
      heads = try parameters.positive("num_key_value_heads")
    }
    let rowElements = tensor.shape.rank == 1 ? 1 : tensor.shape.columns
    let rows = tensor.shape.dimensions.first ?? 0
    guard (1...2).contains(tensor.shape.rank), rows > 0, RowSelection.headPermuted(heads: heads).count(of: rows) != nil
    else { throw .shape(tensor: tensor.name, found: tensor.shape, expected: "\(heads) heads of an even size") }
    let input = MappedInput(tensor: index, rowElements: rowElements, rows: .headPermuted(heads: heads))
    emit(rule, 0, name, tensor.shape, [input])
  }

  private mutating func addHalves(_ rule: TensorRule, _ index: Int, _ name: NumberedName) throws(ArchitectureError) {
    let tensor = tensors[index]
    var dimensions = tensor.shape.dimensions
    guard tensor.shape.rank >= 2, dimensions[dimensions.count - 2] % 2 == 0 else {
      throw .shape(tensor: tensor.name, found: tensor.shape, expected: "an even number of rows")
    }
    if rule.targets[0].hasSuffix("_exps.weight") { try checkExperts(tensor) }
    let rows = dimensions[dimensions.count - 2]
    dimensions[dimensions.count - 2] = rows / 2
    let half = try shape(dimensions, tensor)
    for part in 0...1 {
      let selection = RowSelection.blocks(
        offset: part * (rows / 2), length: rows / 2, stride: rows, count: rows == 0 ? 0 : tensor.shape.rows / rows)
      let input = MappedInput(tensor: index, rowElements: tensor.shape.columns, rows: selection)
      emit(rule, part, name, half, [input])
    }
  }

  private mutating func addAlternating(
    _ rule: TensorRule, _ index: Int, _ name: NumberedName
  ) throws(ArchitectureError) {
    let tensor = tensors[index]
    try checkExperts(tensor)
    guard tensor.shape.columns % 2 == 0 else {
      throw .shape(tensor: tensor.name, found: tensor.shape, expected: "an even number of columns")
    }
    let half = try shape(tensor.shape.dimensions.dropLast() + [tensor.shape.columns / 2], tensor)
    for part in 0...1 {
      let selection = RowSelection.strided(start: part, step: 2, count: half.elements)
      emit(rule, part, name, half, [MappedInput(tensor: index, rowElements: 1, rows: selection)])
    }
  }

  /// gpt-oss keeps [expert, input, output]; GGUF wants [expert, output, input].
  private mutating func addTransposed(
    _ rule: TensorRule, _ index: Int, _ name: NumberedName
  ) throws(ArchitectureError) {
    let tensor = tensors[index]
    try checkExperts(tensor)
    let parts = rule.targets.count
    guard tensor.shape.rank == 3, tensor.shape.columns % parts == 0 else {
      throw .shape(tensor: tensor.name, found: tensor.shape, expected: "a matrix an expert, of even width")
    }
    let matrix = MatrixShape(rows: tensor.shape.dimensions[1], columns: tensor.shape.columns / parts)
    let result = try shape([tensor.shape.dimensions[0], matrix.columns, matrix.rows], tensor)
    for part in 0..<parts {
      let rows =
        parts == 1 ? RowSelection.all : .strided(start: part, step: parts, count: result.elements)
      let rowElements = parts == 1 ? tensor.shape.columns : 1
      emit(
        rule, part, name, result,
        [
          MappedInput(tensor: index, rowElements: rowElements, rows: rows, transposed: matrix)
        ])
    }
  }

  private mutating func addVocabularyRows(
    _ rule: TensorRule, _ index: Int, _ name: NumberedName
  ) throws(ArchitectureError) {
    let tensor = tensors[index]
    try checkVocabulary(tensor)
    guard let vocabulary, vocabulary < tensor.shape.rows else {
      return emit(rule, 0, name, tensor.shape, [whole(index)])
    }
    let input = MappedInput(tensor: index, rowElements: tensor.shape.columns, rows: .range(0..<vocabulary))
    emit(rule, 0, name, try shape([vocabulary, tensor.shape.columns], tensor), [input])
  }
}
