extension GGMLCodec: QuantizingCodec {
  /// Byte for byte what the x86 build of llama.cpp writes (rule `compatible`).
  /// Throws `unencodable` for a NaN, an infinity, or a block whose scale is beyond F16; `descriptor` for a type that
  /// can't be quantized to.
  public func encode(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule,
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    try encode(values, columns: columns, rule: rule, importance: nil, into: planes)
  }

  /// The same with the importance of each column (an imatrix), which some types use (`GGMLType.usesImportance`).
  /// `values` are then whole rows, and `importance` holds a finite number, not negative, a column; otherwise it
  /// throws `shape` or `importance`.
  public func encode(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule, importance: [Float]?,
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    try encodeReference(values, columns: columns, rule: rule, importance: importance, into: planes)
  }

  /// The plain form of `encode`, equal to it byte for byte.
  public func encodeReference(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule, importance: [Float]? = nil,
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    let encoder = try checkedEncoder(values, columns: columns, rule: rule, planes)
    guard let importance, type.usesImportance else {
      encodeBlocks(values, planes[0]) { encoder($0, nil, $1) }
      return try checkScales(values, planes[0])
    }
    try checkImportance(importance, elements: values.count, columns: columns)
    importance.withUnsafeBufferPointer { weights in
      for row in 0..<(columns == 0 ? 0 : values.count / columns) {
        encodeRow(values.part(row * columns, columns), weights, encoder, row: row, planes[0])
      }
    }
    try checkScales(values, planes[0])
  }

  private func encodeRow(
    _ values: UnsafeBufferPointer<Float>, _ weights: UnsafeBufferPointer<Float>, _ encoder: BlockEncoder, row: Int,
    _ plane: UnsafeMutableRawBufferPointer
  ) {
    let energy = values.energy / Float(values.count)
    let bytes = values.count / type.blockElements * type.blockBytes
    var start = 0
    encodeBlocks(values, UnsafeMutableRawBufferPointer(rebasing: plane[range(row, bytes)])) { block, output in
      encoder(block, BlockImportance(weights: weights.part(start, block.count), rowEnergy: energy), output)
      start += block.count
    }
  }

  private func encodeBlocks(
    _ values: UnsafeBufferPointer<Float>, _ plane: UnsafeMutableRawBufferPointer,
    _ body: (BlockInput, BlockBytes) -> Void
  ) {
    for block in 0..<values.count / type.blockElements {
      body(
        values.part(block * type.blockElements, type.blockElements),
        UnsafeMutableRawBufferPointer(rebasing: plane[range(block, type.blockBytes)]))
    }
  }

  private func checkedEncoder(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule, _ planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) -> BlockEncoder {
    guard let encoder = type.encoder else {
      throw .descriptor("\(descriptor)", reason: "there is no encoder for this type")
    }
    guard rule == .compatible else { throw .rule(codec: "\(descriptor)", rule: rule) }
    try checkBlocks(values.count, columns: columns)
    try checkPlanes(planes, elements: values.count, columns: columns)
    for (index, value) in values.enumerated() where !value.isFinite {
      throw .unencodable(codec: "\(descriptor)", element: index, value: value)
    }
    return encoder
  }

  private func checkImportance(_ importance: [Float], elements: Int, columns: Int) throws(CodecError) {
    guard importance.count == columns, columns == 0 || elements % columns == 0 else {
      throw .shape(
        codec: "\(descriptor)", shape: [elements, columns],
        reason: "\(importance.count) columns have an importance, and a span must be whole rows")
    }
    if let column = importance.firstIndex(where: { !$0.isFinite || $0 < 0 }) {
      throw .importance(codec: "\(descriptor)", column: column, value: importance[column])
    }
  }

  /// Throws for the first block whose scale is not a number in F16: what ggml's own check refuses.
  private func checkScales(
    _ values: UnsafeBufferPointer<Float>, _ plane: UnsafeMutableRawBufferPointer
  ) throws(CodecError) {
    let offsets = type.halfOffsets
    for block in 0..<values.count / type.blockElements {
      for offset in offsets where !plane.half(block * type.blockBytes + offset).isFinite {
        let elements = range(block, type.blockElements)
        let peak = elements.max { values[$0].magnitude < values[$1].magnitude } ?? elements.lowerBound
        throw .unencodable(codec: "\(descriptor)", element: peak, value: values[peak])
      }
    }
  }
}
