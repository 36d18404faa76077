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
          let plain = bale_grid_error_portable(&grid, values, weights, count, scale, zero)
          #expect(found.bitPattern == plain.bitPattern)
        }
      }
    }
  }

  private static let scales: [Float] = [.nan, -1, 0.2, 0.4, 0.4, 0.7, .infinity]
  private static let zeros: [Float] = [.infinity, 2, 3.5, 3.5, 5, 6, -.infinity]

  /// A tile with its columns one after another.
  private struct Tile {
    let (rows, columns, stride): (Int, Int, Int)
    let values: [Float]
    let weights: [Float]?

    init(rows: Int, columns: Int, weighted: Bool, _ random: inout SplitMix64) {
      (self.rows, self.columns, stride) = (rows, columns, (rows + 15) / 16 * 16)
      values = (0..<stride * columns).map { _ in Float(random.normal()) }
      weights = weighted ? (0..<columns).map { _ in Float.random(in: 0.1...2, using: &random) } : nil
    }

    func with<Result>(_ body: (UnsafePointer<bale_bilevel_rows>) -> Result) -> Result {
      values.withUnsafeBufferPointer { values in
        (weights ?? []).withUnsafeBufferPointer { buffer in
          var tile = bale_bilevel_rows(
            values: values.baseAddress, weights: weights == nil ? nil : buffer.baseAddress, rows: rows,
            columns: columns, stride: stride)
          return body(&tile)
        }
      }
    }
  }

  private func choose(
    _ grid: inout bale_grid, _ tile: Tile, _ reach: Int32, _ codes: [UInt8], isPortable: Bool
  ) -> (error: Float, scales: [UInt8], zeros: [UInt8]) {
    var (scaleCodes, zeroCodes) = (codes, codes)
    let error = tile.with {
      isPortable
        ? bale_bilevel_choose_portable(&grid, $0, Self.scales, Self.zeros, 7, reach, &scaleCodes, &zeroCodes)
        : bale_bilevel_choose(&grid, $0, Self.scales, Self.zeros, 7, reach, &scaleCodes, &zeroCodes)
    }
    return (error, scaleCodes, zeroCodes)
  }

  /// Each row takes the first of the best pairs within reach.
  @Test func theChoiceIsTheFirstOfTheBest() {
    var grid = grids()[0]
    var random = SplitMix64(seed: 63)
    for (rows, columns, weighted) in [(3, 5, false), (16, 16, true), (37, 33, true)] {
      let tile = Tile(rows: rows, columns: columns, weighted: weighted, &random)
      for reach in [0, 1, 2, 7] {
        let start = (0..<rows).map { UInt8(2 + $0 % 4) }
        let fast = choose(&grid, tile, Int32(reach), start, isPortable: false)
        let plain = choose(&grid, tile, Int32(reach), start, isPortable: true)
        #expect(fast == plain)
        for row in 0..<rows {
          let best = bestPair(grid, tile, row, near: Int(start[row]), reach)
          #expect(Int(fast.scales[row]) == best.scale && Int(fast.zeros[row]) == best.zero)
        }
      }
    }
    let tile = Tile(rows: 2, columns: 3, weighted: false, &random)
    let none = choose(&grid, tile, 0, [0, 6], isPortable: false)
    #expect(none.error == .infinity && none.scales == [0, 6] && none.zeros == [0, 6])
  }

  private func bestPair(
    _ grid: bale_grid, _ tile: Tile, _ row: Int, near code: Int, _ reach: Int
  ) -> (scale: Int, zero: Int) {
    let near = max(0, code - reach)...min(6, code + reach)
    var best = (error: Double.infinity, scale: code, zero: code)
    for s in near where Self.scales[s] >= 0 && Self.scales[s].isFinite {
      for z in near where Self.zeros[z].isFinite {
        let error = (0..<tile.columns).reduce(0.0) { sum, column in
          let value = tile.values[column * tile.stride + row]
          let difference = Double(rounded(grid, value, Self.scales[s], Self.zeros[z]).1) - Double(value)
          return sum + difference * difference * Double(tile.weights?[column] ?? 1)
        }
        if error < best.error * (1 - 1e-5) { best = (error, s, z) }
      }
    }
    return (best.scale, best.zero)
  }

  @Test func momentsAreThoseOfTheFormulas() {
    var grid = grids()[0]
    var random = SplitMix64(seed: 64)
    for (rows, columns, weighted) in [(3, 5, false), (16, 16, true), (37, 33, true)] {
      let tile = Tile(rows: rows, columns: columns, weighted: weighted, &random)
      let scales = (0..<tile.stride).map { _ in Float.random(in: 0.1...1, using: &random) }
      let zeros = (0..<tile.stride).map { _ in Float.random(in: 1...6, using: &random) }
      var (fast, plain) = ([Float](repeating: 0, count: 4 * tile.stride), [Float](repeating: 0, count: 4 * tile.stride))
      tile.with { bale_bilevel_moments(&grid, $0, scales, zeros, &fast) }
      tile.with { bale_bilevel_moments_portable(&grid, $0, scales, zeros, &plain) }
      #expect(fast == plain)
      for row in 0..<rows {
        var expected = [0.0, 0, 0, 0]
        for column in 0..<columns {
          let (value, weight) = (tile.values[column * tile.stride + row], Double(tile.weights?[column] ?? 1))
          let code = Double(rounded(grid, value, scales[row], zeros[row]).0)
          let distance = code - Double(zeros[row])
          expected[0] += weight * distance * distance
          expected[1] += weight * distance * Double(value)
          expected[2] += weight
          expected[3] += weight * (Double(scales[row]) * code - Double(value))
        }
        for sum in 0..<4 {
          #expect(abs(Double(fast[sum * tile.stride + row]) - expected[sum]) < 1e-4 * (1 + abs(expected[sum])))
        }
      }
    }
  }
}
