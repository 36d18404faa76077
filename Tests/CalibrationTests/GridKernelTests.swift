import CKernels
import TestSupport
import Testing

/// The loops of the solvers against the formulas of spqr.h.
@Suite struct GridKernelTests {
  private func grids() -> [bale_grid] {
    var affine = bale_grid()
    affine.kind = BALE_GRID_AFFINE
    affine.highest = 7
    var signed = affine
    signed.lowest = -8
    var half = affine
    half.half = 1
    var biased = affine
    biased.kind = BALE_GRID_BIASED
    var table = bale_grid()
    table.kind = BALE_GRID_TABLE
    table.highest = 15
    withUnsafeMutableBytes(of: &table.table) { raw in
      for index in 0..<16 { raw.storeBytes(of: Float(index * index) / 16 - 5, toByteOffset: 4 * index, as: Float.self) }
    }
    withUnsafeMutableBytes(of: &table.thresholds) { raw in
      for index in 0..<15 {
        let middle = (Float(index * index) + Float((index + 1) * (index + 1))) / 32 - 5
        raw.storeBytes(of: middle, toByteOffset: 4 * index, as: Float.self)
      }
    }
    return [affine, signed, half, biased, table]
  }

  private func entry(_ grid: bale_grid, _ index: Int) -> Float {
    withUnsafeBytes(of: grid.table) { $0.load(fromByteOffset: 4 * index, as: Float.self) }
  }

  private func rank(_ grid: bale_grid, _ position: Float) -> Int {
    withUnsafeBytes(of: grid.thresholds) { raw in
      (0..<15).count { position > raw.load(fromByteOffset: 4 * $0, as: Float.self) }
    }
  }

  /// Code and decoded value of one weight.
  private func rounded(_ grid: bale_grid, _ value: Float, _ scale: Float, _ zero: Float) -> (UInt8, Float) {
    if grid.kind == BALE_GRID_TABLE {
      let code = rank(grid, value / scale)
      return (UInt8(code), entry(grid, code) * scale)
    }
    let position = grid.kind == BALE_GRID_BIASED ? (value - zero) / scale : value / scale + zero
    let code = min(max(position.rounded(.toNearestOrEven) + 0, grid.lowest), grid.highest)
    let byte = UInt8(truncatingIfNeeded: Int(code))
    if grid.kind == BALE_GRID_BIASED { return (byte, code * scale + zero) }
    if grid.half == 0 { return (byte, scale * (code - zero)) }
    return (byte, Float(Float16(scale * Float(Float16(code - zero)))))
  }

  @Test func roundingIsThatOfTheFormulas() {
    var random = SplitMix64(seed: 61)
    for var grid in grids() {
      let count = 1003
      let values = (0..<count).map { _ in Float(random.normal()) * 3 }
      let scales = (0..<count).map { _ in Float(random.normal()) + 0.01 }
      let zeros = (0..<count).map { _ in grid.lowest == 0 ? Float(random.normal()) * 2 : 0 }
      var codes = [UInt8](repeating: 0, count: count)
      var decoded = [Float](repeating: 0, count: count)
      bale_grid_round(&grid, values, scales, zeros, count, &codes, &decoded)
      for index in 0..<count {
        let (code, value) = rounded(grid, values[index], scales[index], zeros[index])
        #expect(codes[index] == code && decoded[index].bitPattern == value.bitPattern)
      }
    }
  }

  @Test func emptyScalesHaveACode() {
    for var grid in grids() {
      for scale: Float in [0, 1e-40, -1e-40, .infinity, .nan] {
        let values: [Float] = [0, 1, -1, 1e30, .infinity, 0, 1, -1, 1e30]
        var codes = [UInt8](repeating: 99, count: values.count)
        var decoded = [Float](repeating: 0, count: values.count)
        let scales = [Float](repeating: scale, count: values.count)
        bale_grid_round(
          &grid, values, scales, [Float](repeating: 0, count: values.count), values.count, &codes, &decoded)
        #expect(
          codes.allSatisfy { Int8(bitPattern: $0) >= Int8(grid.lowest) && Int8(bitPattern: $0) <= Int8(grid.highest) })
        // The vector form and the plain one agree: value 8 is done by the plain form, value 3 by the vector form.
        #expect(codes[8] == codes[3])
      }
    }
  }

  /// The vector form adds eight values at a time; a count that it can't take goes through the plain form.
  @Test func errorsAreThoseOfTheCodes() {
    var random = SplitMix64(seed: 62)
    for var grid in grids() where grid.half == 0 {
      for count in [1, 7, 8, 16, 31, 128] {
        let values = (0..<count).map { _ in Float(random.normal()) }
        let weights = (0..<count).map { _ in Float.random(in: 0.1...2, using: &random) }
        for (scale, zero): (Float, Float) in [(0.25, 3.5), (0.5, 2), (-0.3, 0.7)] {
          let zero = grid.lowest == 0 ? zero : 0
          var expected = 0.0
          for (value, weight) in zip(values, weights) {
            let error = Double(rounded(grid, value, scale, zero).1) - Double(value)
            expected += error * error * Double(weight)
          }
          let found = bale_grid_error(&grid, values, weights, count, scale, zero)
          #expect(abs(Double(found) - expected) <= 1e-5 * expected + 1e-9)
        }
      }
    }
  }

  /// With every code in reach, each row takes the first of the best pairs.
  @Test func theChoiceIsTheFirstOfTheBest() {
    var grid = grids()[0]
    var random = SplitMix64(seed: 63)
    let scales: [Float] = [.nan, -1, 0.2, 0.4, 0.4, 0.7, .infinity]
    let zeros: [Float] = [.infinity, 2, 3.5, 3.5, 5, 6, -.infinity]
    for (count, weighted) in [(5, false), (16, true), (33, true)] {
      let values = (0..<3 * count).map { _ in Float(random.normal()) }
      let weights = (0..<count).map { _ in Float.random(in: 0.1...2, using: &random) }
      for reach in [1, 2, 7] {
        let start: [UInt8] = [3, 1, 5]
        let (fast, plain) = (
          choose(&grid, values, weighted ? weights : nil, scales, zeros, reach, start, bale_bilevel_choose),
          choose(&grid, values, weighted ? weights : nil, scales, zeros, reach, start, bale_bilevel_choose_portable)
        )
        #expect(fast == plain)
        for row in 0..<3 {
          let near = max(0, Int(start[row]) - reach)...min(6, Int(start[row]) + reach)
          var best = (error: Double.infinity, scale: 0, zero: 0)
          for s in near where scales[s] >= 0 && scales[s].isFinite {
            for z in near where zeros[z].isFinite {
              let error = (0..<count).reduce(0.0) { sum, index in
                let value = values[row * count + index]
                let difference = Double(rounded(grid, value, scales[s], zeros[z]).1) - Double(value)
                return sum + difference * difference * Double(weighted ? weights[index] : 1)
              }
              if error < best.error * (1 - 1e-5) { best = (error, s, z) }
            }
          }
          #expect(Int(fast.scaleCodes[row]) == best.scale && Int(fast.zeroCodes[row]) == best.zero)
        }
      }
    }
  }

  private struct Choice: Equatable {
    var error: Float
    var scaleCodes: [UInt8]
    var zeroCodes: [UInt8]
  }

  private typealias Choose = (
    UnsafePointer<bale_grid>, UnsafePointer<bale_bilevel_rows>, UnsafePointer<Float>, UnsafePointer<Float>, Int, Int,
    UnsafeMutablePointer<UInt8>, UnsafeMutablePointer<UInt8>
  ) -> Float

  private func choose(
    _ grid: inout bale_grid, _ values: [Float], _ weights: [Float]?, _ scales: [Float], _ zeros: [Float], _ reach: Int,
    _ codes: [UInt8], _ function: Choose
  ) -> Choice {
    var choice = Choice(error: 0, scaleCodes: codes, zeroCodes: codes)
    let columns = values.count / codes.count
    values.withUnsafeBufferPointer { values in
      (weights ?? []).withUnsafeBufferPointer { buffer in
        guard let base = values.baseAddress else { return }
        var rows = bale_bilevel_rows(
          values: base, weights: weights == nil ? nil : buffer.baseAddress, rows: codes.count, columns: columns,
          stride: columns)
        choice.error = function(
          &grid, &rows, scales, zeros, scales.count, reach, &choice.scaleCodes, &choice.zeroCodes)
      }
    }
    return choice
  }
}
