import CKernels
import Tensors

extension NVFP4Codec {
  /// One pass where there is a factor: it follows from the largest magnitude.
  public func passes(rule: ScaleRule) -> Int { global == .none ? 0 : 1 }

  /// The largest magnitude.
  public func gather(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule, after previous: [TensorStatistic]
  ) throws(CodecError) -> TensorStatistic {
    let largest = bale_largest_magnitude(values.baseAddress, values.count)
    guard largest.isFinite else { throw unencodable(values, from: 0) }
    return TensorStatistic([Double(largest)], merge: .maximum)
  }

  public func encode(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule, statistics: [TensorStatistic],
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    try checkPlanes(planes, elements: values.count, columns: columns)
    let chooser = try scaleChooser(rule: rule, statistics: statistics, into: planes)
    var known = kernelScales(chooser)
    guard let source = values.baseAddress, let codes = planes[0].baseAddress, let scales = planes[1].baseAddress
    else { return }
    for row in layout.eachRow(elements: values.count, columns: columns) {
      let start = row.elements.lowerBound
      let done = bale_nvfp4_encode(
        &known, source + start, row.elements.count,
        (codes + row.codes.lowerBound).assumingMemoryBound(to: UInt8.self),
        (scales + row.groups.lowerBound).assumingMemoryBound(to: UInt8.self))
      guard done == row.elements.count else { throw unencodable(values, from: start + done) }
    }
  }

  /// The plain form of `encode` for a tensor that is one span, equal to it byte for byte.
  public func encodeReference(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule,
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    let statistics = try statistics(of: values, columns: columns, rule: rule)
    try checkPlanes(planes, elements: values.count, columns: columns)
    let chooser = try scaleChooser(rule: rule, statistics: statistics, into: planes)
    planes[0].initializeMemory(as: UInt8.self, repeating: 0)
    for row in layout.eachRow(elements: values.count, columns: columns) {
      let codes = UnsafeMutableRawBufferPointer(rebasing: planes[0][row.codes])
      for (block, group) in row.groups.enumerated() {
        let start = row.elements.lowerBound + block * Self.block
        let elements = start..<min(start + Self.block, row.elements.upperBound)
        guard elements.allSatisfy({ values[$0].isFinite }) else { throw unencodable(values, from: start) }
        let byte = chooser.byte(of: UnsafeBufferPointer(rebasing: values[elements]))
        planes[1][group] = byte
        for index in elements {
          let sign: UInt8 = values[index].sign == .minus ? 8 : 0
          let code = MXElement.e2m1.nearestCode(values[index].magnitude * chooser.inverses[Int(byte)])
          layout.put(sign | code, at: index - row.elements.lowerBound, in: codes)
        }
      }
    }
  }

  /// Stores the factor, and gives what chooses the scale bytes under it.
  private func scaleChooser(
    rule: ScaleRule, statistics: [TensorStatistic], into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) -> NVFP4ScaleChooser {
    guard rule == .search || rule == .absmax else { throw .rule(codec: "\(descriptor)", rule: rule) }
    var factor: Float = 1
    if global != .none {
      guard let largest = statistics.first?.values.first else {
        throw .descriptor("\(descriptor)", reason: "it needs the largest magnitude before it can encode")
      }
      factor = self.factor(largest: Float(largest))
      ScalarFloat.f32.store(factor, planes[2], 0)
    }
    return NVFP4ScaleChooser(scales: scales(factor: factor), isSearched: rule == .search)
  }

  /// The factor that brings the largest magnitude to the largest element times the largest scale. Kept in a range
  /// where neither scales nor their inverses overflow.
  func factor(largest: Float) -> Float {
    let low = Float(sign: .plus, exponent: -110, significand: 1)
    let high = Float(sign: .plus, exponent: 115, significand: 1)
    guard largest > 0 else { return global == .absmax ? Self.largest : 1 }
    switch global {
    case .divide: return min(max(Self.largest / largest, 1 / high), 1 / low)
    case .absmax: return min(max(largest, low * Self.largest), high * Self.largest)
    case .multiply, .none: return min(max(largest / Self.largest, low), high)
    }
  }

  private func kernelScales(_ chooser: NVFP4ScaleChooser) -> bale_nvfp4_scales {
    var known = bale_nvfp4_scales()
    withUnsafeMutableBytes(of: &known.inverses) { bytes in
      chooser.inverses.withUnsafeBytes { bytes.copyMemory(from: $0) }
    }
    withUnsafeMutableBytes(of: &known.weights) { bytes in
      chooser.weights.withUnsafeBytes { bytes.copyMemory(from: $0) }
    }
    known.unit = chooser.unit
    known.searched = chooser.isSearched ? 1 : 0
    return known
  }
}
