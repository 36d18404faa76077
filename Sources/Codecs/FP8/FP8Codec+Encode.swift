import CKernels
import Tensors

extension FP8Codec {
  /// One pass where scales serve all rows.
  public func passes(rule: ScaleRule) -> Int { rows == .all ? 1 : 0 }

  /// The largest magnitudes, one a scale.
  public func gather(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule, after previous: [TensorStatistic]
  ) throws(CodecError) -> TensorStatistic {
    TensorStatistic(try magnitudes(values, columns: columns).map(Double.init), merge: .maximum)
  }

  public func encode(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule, statistics: [TensorStatistic],
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    let inverses = try storeScales(values, columns, rule, statistics, planes)
    let tile = UnsafeMutableBufferPointer<Float>.allocate(capacity: Self.tile)
    defer { tile.deallocate() }
    guard let source = values.baseAddress else { return }
    do throws(ElementError) {
      try eachRun(elements: values.count, columns: columns) { run, index throws(ElementError) in
        for start in stride(from: run.lowerBound, to: run.upperBound, by: Self.tile) {
          let part = start..<min(start + Self.tile, run.upperBound)
          bale_scale_and_clip(source + start, inverses[index], element.largest, part.count, tile.baseAddress)
          try Elements.encode(
            UnsafeBufferPointer(rebasing: tile[..<part.count]), element.dtype,
            into: UnsafeMutableRawBufferPointer(rebasing: planes[0][part]))
        }
      }
    } catch {
      throw .descriptor("\(descriptor)", reason: "\(error)")
    }
  }

  /// Elements that are scaled at once.
  private static let tile = 4096

  /// The plain form of `encode` for a tensor that is one span, equal to it byte for byte.
  public func encodeReference(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule,
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    let statistics = try statistics(of: values, columns: columns, rule: rule)
    let inverses = try storeScales(values, columns, rule, statistics, planes)
    eachRun(elements: values.count, columns: columns) { run, index in
      for position in run {
        let scaled = values[position] * inverses[index]
        planes[0][position] = code(min(max(scaled, -element.largest), element.largest))
      }
    }
  }

  /// The code nearest to a value.
  private func code(_ value: Float) -> UInt8 {
    var code: UInt8 = 0
    withUnsafeBytes(of: value) { value in
      withUnsafeMutableBytes(of: &code) { code in
        try? Elements.convertReference(from: .f32, to: element.dtype, source: value, destination: code, count: 1)
      }
    }
    return code
  }

  /// The largest magnitude under each scale. Throws if a value is not finite.
  private func magnitudes(_ values: UnsafeBufferPointer<Float>, columns: Int) throws(CodecError) -> [Float] {
    let scales = bytes(plane: 1, elements: values.count, columns: columns) / scale.bytes
    var largest = [Float](repeating: 0, count: scales)
    var failure: Int?
    eachRun(elements: values.count, columns: columns) { run, index in
      let found = bale_largest_magnitude(values.baseAddress.map { $0 + run.lowerBound }, run.count)
      if !found.isFinite { failure = failure ?? run.first { !values[$0].isFinite } }
      largest[index] = max(largest[index], found)
    }
    if let failure { throw unencodable(values, failure) }
    return largest
  }

  /// Stores the scales; gives their inverses.
  private func storeScales(
    _ values: UnsafeBufferPointer<Float>, _ columns: Int, _ rule: ScaleRule, _ statistics: [TensorStatistic],
    _ planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) -> [Float] {
    guard rule == .search || rule == .absmax else { throw .rule(codec: "\(descriptor)", rule: rule) }
    try checkPlanes(planes, elements: values.count, columns: columns)
    var largest = try magnitudes(values, columns: columns)
    if rows == .all {
      guard let all = statistics.first?.values, all.count == largest.count else {
        throw .descriptor("\(descriptor)", reason: "it needs the largest magnitudes before it can encode")
      }
      largest = all.map { Float($0) }
    }
    return largest.enumerated().map { index, magnitude in
      let stored = scale.store(magnitude == 0 ? 1 : magnitude / element.largest, planes[1], index)
      return stored == 0 ? 0 : min(1 / stored, .greatestFiniteMagnitude)
    }
  }
}
