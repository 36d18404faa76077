import CKernels

extension GGMLCodec: QuantizingCodec {
  public var defaultRule: ScaleRule { .compatible }

  /// Byte for byte what the x86 build of llama.cpp writes (rule `compatible`), or the best of several such blocks by
  /// squared error (rule `search`, for the types with `GGMLType.isSearchable`).
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
    let encoder = try checked(type.fastEncoder, values, columns: columns, rule: rule, planes)
    if let importance, type.usesImportance || rule == .search {
      try encodeRows(values, columns: columns, importance, encoder, planes[0])
    } else {
      try encodeTiles(values, encoder, rule == .compatible ? type.blocksEncoder : nil, planes[0])
    }
  }

  /// The plain form of `encode`, equal to it byte for byte.
  public func encodeReference(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule, importance: [Float]? = nil,
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    let encoder = try checked(type.encoder, values, columns: columns, rule: rule, planes)
    if let importance, type.usesImportance || rule == .search {
      return try encodeRows(values, columns: columns, importance, encoder, planes[0])
    }
    for index in values.indices where !values[index].isFinite { throw unencodable(values, index) }
    encodeBlocks(blocks(0, values.count), values, planes[0]) { encoder($0, nil, $1) }
    try checkScales(blocks(0, values.count), values, planes[0])
  }

  /// The encoder, if all else allows to encode.
  private func checked(
    _ encoder: BlockEncoder?, _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule,
    _ planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) -> BlockEncoder {
    guard let encoder else {
      throw .descriptor("\(descriptor)", reason: "there is no encoder for this type")
    }
    guard rule == .compatible || rule == .search && type.isSearchable, let decoder = type.decoder else {
      throw .rule(codec: "\(descriptor)", rule: rule)
    }
    try checkBlocks(values.count, columns: columns)
    try checkPlanes(planes, elements: values.count, columns: columns)
    guard rule == .search else { return encoder }
    let search = BlockSearch(type: type, encoder: encoder, decoder: decoder)
    return { search.encode($0, $1, $2) }
  }

  /// The blocks of `count` elements from `start` on.
  private func blocks(_ start: Int, _ count: Int) -> Range<Int> {
    start / type.blockElements..<(start + count) / type.blockElements
  }
}

// MARK: Without importance

extension GGMLCodec {
  /// Elements that stay in the second-level cache between the check and the encoder.
  private static let tile = 16384

  /// Below this magnitude no scale is beyond F16.
  private static let safeMagnitude: Float = 32768

  /// No type with scales in F16 reaches this magnitude: the largest product of codes is 128 * 32.
  private static let unreachable: Float = 0x1p30

  private func encodeTiles(
    _ values: UnsafeBufferPointer<Float>, _ encoder: BlockEncoder, _ blocksEncoder: BlocksEncoder?,
    _ plane: UnsafeMutableRawBufferPointer
  ) throws(CodecError) {
    for start in stride(from: 0, to: values.count, by: Self.tile) {
      let tile = values.part(start, min(Self.tile, values.count - start))
      let peak = bale_largest_magnitude(tile.baseAddress, tile.count)
      guard peak.isFinite else { throw unencodable(values, from: start) }
      let blocks = blocks(start, tile.count)
      encodeTile(blocks, values, encoder, blocksEncoder, plane)
      if peak >= Self.safeMagnitude { try checkScales(blocks, values, plane) }
    }
  }

  /// By the vector encoder, and by the reference where that gives up.
  private func encodeTile(
    _ blocks: Range<Int>, _ values: UnsafeBufferPointer<Float>, _ encoder: BlockEncoder,
    _ blocksEncoder: BlocksEncoder?, _ plane: UnsafeMutableRawBufferPointer
  ) {
    guard let blocksEncoder else {
      return encodeBlocks(blocks, values, plane) { encoder($0, nil, $1) }
    }
    let bytes = plane.assumingMemoryBound(to: UInt8.self)
    var block = blocks.lowerBound
    while block < blocks.upperBound {
      block += blocksEncoder(
        values.baseAddress.map { $0 + block * type.blockElements }, blocks.upperBound - block,
        bytes.baseAddress.map { $0 + block * type.blockBytes })
      guard block < blocks.upperBound else { break }
      encodeBlocks(block..<block + 1, values, plane) { encoder($0, nil, $1) }
      block += 1
    }
  }

  private func encodeBlocks(
    _ blocks: Range<Int>, _ values: UnsafeBufferPointer<Float>, _ plane: UnsafeMutableRawBufferPointer,
    _ body: (BlockInput, BlockBytes) -> Void
  ) {
    for block in blocks {
      body(
        values.part(block * type.blockElements, type.blockElements),
        UnsafeMutableRawBufferPointer(rebasing: plane[range(block, type.blockBytes)]))
    }
  }

  /// Throws for the first block that scales in F16 don't reach: one is not finite there, which ggml's own check
  /// refuses, or the sums that would have made it so have overflowed.
  private func checkScales(
    _ blocks: Range<Int>, _ values: UnsafeBufferPointer<Float>, _ plane: UnsafeMutableRawBufferPointer
  ) throws(CodecError) {
    let offsets = type.halfOffsets
    guard !offsets.isEmpty else { return }
    for block in blocks {
      let elements = range(block, type.blockElements)
      guard let peak = elements.max(by: { values[$0].magnitude < values[$1].magnitude }) else { continue }
      let isFinite = offsets.allSatisfy { plane.half(block * type.blockBytes + $0).isFinite }
      if !isFinite || values[peak].magnitude >= Self.unreachable { throw unencodable(values, peak) }
    }
  }
}

// MARK: With importance

extension GGMLCodec {
  private func encodeRows(
    _ values: UnsafeBufferPointer<Float>, columns: Int, _ importance: [Float], _ encoder: BlockEncoder,
    _ plane: UnsafeMutableRawBufferPointer
  ) throws(CodecError) {
    try checkImportance(importance, elements: values.count, columns: columns)
    for index in values.indices where !values[index].isFinite { throw unencodable(values, index) }
    importance.withUnsafeBufferPointer { weights in
      for start in stride(from: 0, to: values.count, by: max(columns, 1)) {
        encodeRow(values, start..<start + columns, weights, encoder, plane)
      }
    }
    try checkScales(blocks(0, values.count), values, plane)
  }

  private func encodeRow(
    _ values: UnsafeBufferPointer<Float>, _ row: Range<Int>, _ weights: UnsafeBufferPointer<Float>,
    _ encoder: BlockEncoder, _ plane: UnsafeMutableRawBufferPointer
  ) {
    let energy = values.part(row.lowerBound, row.count).energy / Float(row.count)
    var start = 0
    encodeBlocks(blocks(row.lowerBound, row.count), values, plane) { block, output in
      encoder(block, BlockImportance(weights: weights.part(start, block.count), rowEnergy: energy), output)
      start += block.count
    }
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
}
