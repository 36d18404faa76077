import CKernels

extension NormalFloatCodec {
  /// One pass where scales are bytes: the offset is the mean of all absmax.
  public func passes(rule: ScaleRule) -> Int { second == nil ? 0 : 1 }

  /// The sum and the number of absmax of the blocks.
  public func gather(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule, after previous: [TensorStatistic]
  ) throws(CodecError) -> TensorStatistic {
    let scales = try absmax(values)
    return TensorStatistic([scales.reduce(0) { $0 + Double($1) }, Double(scales.count)], merge: .sum)
  }

  public func encode(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule, statistics: [TensorStatistic],
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    var search = kernelSearch
    try encode(values, columns: columns, rule: rule, statistics: statistics, into: planes) { block, inverse, output in
      guard let source = block.baseAddress, let target = output.baseAddress else { return }
      bale_table4_encode(&search, source, inverse, block.count, target.assumingMemoryBound(to: UInt8.self))
    }
  }

  /// The plain form of `encode` for a tensor that is one span, equal to it byte for byte.
  public func encodeReference(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule,
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    let statistics = try statistics(of: values, columns: columns, rule: rule)
    let (thresholds, codes) = (table.thresholds, table.codes)
    try encode(values, columns: columns, rule: rule, statistics: statistics, into: planes) { block, inverse, output in
      output.initializeMemory(as: UInt8.self, repeating: 0)
      for (index, value) in block.enumerated() {
        let scaled = value * inverse
        output[index / 2] |= codes[thresholds.count { scaled > $0 }] << (index % 2 == 0 ? 4 : 0)
      }
    }
  }

  private func encode(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule, statistics: [TensorStatistic],
    into planes: [UnsafeMutableRawBufferPointer],
    _ kernel: (UnsafeBufferPointer<Float>, Float, UnsafeMutableRawBufferPointer) -> Void
  ) throws(CodecError) {
    guard rule == .search || rule == .absmax else { throw .rule(codec: "\(descriptor)", rule: rule) }
    try checkPlanes(planes, elements: values.count, columns: columns)
    let scales = try absmax(values)
    try store(scales, statistics, in: planes)
    for (index, scale) in scales.enumerated() {
      let elements = elements(ofBlock: index, of: values.count)
      let inverse = scale == 0 ? 0 : min(1 / scale, .greatestFiniteMagnitude)
      let bytes = elements.lowerBound / 2..<elements.upperBound.dividedRoundingUp(by: 2)
      kernel(
        UnsafeBufferPointer(rebasing: values[elements]), inverse,
        UnsafeMutableRawBufferPointer(rebasing: planes[0][bytes]))
    }
  }

  /// The largest magnitude of every block.
  private func absmax(_ values: UnsafeBufferPointer<Float>) throws(CodecError) -> [Float] {
    let blocks = values.count.dividedRoundingUp(by: block)
    var scales: [Float] = []
    scales.reserveCapacity(blocks)
    for index in 0..<blocks {
      let elements = elements(ofBlock: index, of: values.count)
      let largest = bale_largest_magnitude(values.baseAddress.map { $0 + elements.lowerBound }, elements.count)
      guard largest.isFinite else { throw unencodable(values, from: elements.lowerBound) }
      scales.append(largest)
    }
    return scales
  }

  private func store(
    _ scales: [Float], _ statistics: [TensorStatistic], in planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    guard let second else {
      for (index, scale) in scales.enumerated() { ScalarFloat.f32.store(scale, planes[1], index) }
      return
    }
    guard let sums = statistics.first?.values, sums.count == 2 else {
      throw .descriptor("\(descriptor)", reason: "it needs the mean of all scales before it can encode")
    }
    let offset = sums[1] == 0 ? 0 : Float(sums[0] / sums[1])
    for (index, value) in (Dynamic8.values + [offset]).enumerated() {
      ScalarFloat.f32.store(value, planes[3], index)
    }
    for first in stride(from: 0, to: scales.count, by: second) {
      let run = first..<min(first + second, scales.count)
      let largest = scales[run].reduce(0) { max($0, ($1 - offset).magnitude) }
      ScalarFloat.f32.store(largest, planes[2], first / second)
      let inverse = largest == 0 ? 0 : min(1 / largest, .greatestFiniteMagnitude)
      for index in run { planes[1][index] = Dynamic8.nearestCode((scales[index] - offset) * inverse) }
    }
  }

  private var kernelSearch: bale_table4_search {
    var search = bale_table4_search()
    withUnsafeMutableBytes(of: &search.thresholds) { bytes in
      table.thresholds.withUnsafeBytes { bytes.copyMemory(from: $0) }
    }
    withUnsafeMutableBytes(of: &search.codes) { $0.copyBytes(from: table.codes) }
    return search
  }
}
