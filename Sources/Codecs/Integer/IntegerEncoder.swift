/// Encodes a span in two passes: the terms of every group go into their planes, then values become codes by the terms
/// as they were stored.
struct IntegerEncoder<Kernel: GroupKernel> {
  let codec: IntegerCodec
  let scaling: GroupScaling<Kernel>
  let layout: PackedRows
  let values: UnsafeBufferPointer<Float>
  let planes: [UnsafeMutableRawBufferPointer]

  init(
    _ codec: IntegerCodec, _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule,
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    try codec.checkPlanes(planes, elements: values.count, columns: columns)
    self.codec = codec
    self.scaling = try GroupScaling(codec, rule: rule)
    self.layout = codec.layout(columns: columns)
    self.values = values
    self.planes = planes
  }

  func encode(columns: Int) throws(CodecError) {
    for row in layout.eachRow(elements: values.count, columns: columns) {
      for (block, superblock) in row.superblocks.enumerated() {
        let first = block * layout.superblock
        let groups = first..<min(first + layout.superblock, row.groups.count)
        try storeTerms(row, groups: groups, superblock: superblock)
      }
      storeCodes(row)
    }
  }

  /// The values of a group of a row.
  private func group(_ index: Int, of row: PackedRows.Row) -> Range<Int> {
    let start = row.elements.lowerBound + index * layout.group
    return start..<min(start + layout.group, row.elements.upperBound)
  }

  private func storeTerms(_ row: PackedRows.Row, groups: Range<Int>, superblock: Int) throws(CodecError) {
    guard case .quantized = codec.scale else {
      for index in groups {
        codec.store(try terms(group(index, of: row)), in: planes, group: row.groups.lowerBound + index)
      }
      return
    }
    var found: [GroupTerms] = []
    for index in groups { found.append(try terms(group(index, of: row))) }
    let second = SecondLevel(found.map(\.scale))
    second.store(planes[planes.count - 1], superblock)
    for (index, terms) in zip(groups, found) {
      var stored = terms
      let code = second.code(terms.scale)
      stored.scale = second.scale(code)
      if codec.zero == .code { stored = codec.withZeroPoint(scale: stored.scale, low: -terms.zero * terms.scale) }
      codec.storeZero(stored, in: planes, group: row.groups.lowerBound + index)
      planes[1][row.groups.lowerBound + index] = code
    }
  }

  private func terms(_ range: Range<Int>) throws(CodecError) -> GroupTerms {
    let group = UnsafeBufferPointer(rebasing: values[range])
    guard let (low, high) = Kernel.extremes(group) else {
      throw codec.unencodable(values, from: range.lowerBound)
    }
    guard let terms = scaling.terms(group, low: low, high: high) else {
      throw codec.unencodable(values, range.max { values[$0].magnitude < values[$1].magnitude } ?? range.lowerBound)
    }
    return terms
  }

  /// Eight groups at a time, which end on a byte.
  private func storeCodes(_ row: PackedRows.Row) {
    let batch = 8
    let scratch = UnsafeMutablePointer<UInt8>.allocate(capacity: min(batch * layout.group, row.elements.count))
    defer { scratch.deallocate() }
    let reader = IntegerCodec.TermReader(codec, planes.map { UnsafeRawBufferPointer($0) })
    for first in stride(from: 0, to: row.groups.count, by: batch) {
      var count = 0
      for index in first..<min(first + batch, row.groups.count) {
        let range = group(index, of: row)
        let terms = reader.terms(
          group: row.groups.lowerBound + index, superblock: row.superblocks.lowerBound + index / layout.superblock)
        Kernel.quantize(
          UnsafeBufferPointer(rebasing: values[range]), terms, codec.codeRange, into: scratch + count)
        count += range.count
      }
      let start = row.codes.lowerBound + layout.codeBytes(length: first * layout.group)
      let output = planes[0][start..<start + layout.codeBytes(length: count)]
      Kernel.pack(scratch, count: count, layout: layout, into: UnsafeMutableRawBufferPointer(rebasing: output))
    }
  }
}

extension IntegerCodec {
  /// Stores the terms of a group whose scale is a float.
  func store(_ terms: GroupTerms, in planes: [UnsafeMutableRawBufferPointer], group: Int) {
    if case .float(let type) = scale { type.store(terms.scale, planes[1], group) }
    storeZero(terms, in: planes, group: group)
  }

  func storeZero(_ terms: GroupTerms, in planes: [UnsafeMutableRawBufferPointer], group: Int) {
    switch zero {
    case .none: break
    case .code: planes[2][group] = UInt8(terms.zero)
    case .bias(let type): type.store(terms.bias, planes[2], group)
    }
  }
}

/// Scales of a superblock as bytes: scale = code * step + offset, each operation rounded to F32.
struct SecondLevel {
  let step: Float
  let offset: Float

  init(_ scales: [Float]) {
    let smallest = scales.min() ?? 0
    offset = smallest
    step = ((scales.max() ?? 0) - smallest) / 255
  }

  func code(_ scale: Float) -> UInt8 {
    step == 0 ? 0 : UInt8(min(max(((scale - offset) / step).rounded(.toNearestOrEven), 0), 255))
  }

  func scale(_ code: UInt8) -> Float { Float(code) * step + offset }

  func store(_ plane: UnsafeMutableRawBufferPointer, _ superblock: Int) {
    ScalarFloat.f32.store(step, plane, superblock * 2)
    ScalarFloat.f32.store(offset, plane, superblock * 2 + 1)
  }
}
