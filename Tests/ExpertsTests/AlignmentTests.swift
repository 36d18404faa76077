import Experts
import TestSupport
import Testing

@Suite struct AlignmentTests {
  static func total(_ scores: [Float], _ columns: [Int]) -> Float {
    let count = columns.count
    return columns.enumerated().reduce(0) { $0 + scores[$1.offset * count + $1.element] }
  }

  static func best(_ scores: [Float], count: Int, row: Int = 0, used: Set<Int> = []) -> Float {
    guard row < count else { return 0 }
    return (0..<count).filter { !used.contains($0) }
      .map { scores[row * count + $0] + best(scores, count: count, row: row + 1, used: used.union([$0])) }
      .max() ?? 0
  }

  @Test func exactIsAsGoodAsEveryMatching() {
    var random = SplitMix64(seed: 1)
    for count in 1...6 {
      for _ in 0..<20 {
        let scores = (0..<count * count).map { _ in Float(Int.random(in: -8...8, using: &random)) }
        let columns = scores.withUnsafeBufferPointer { Assignment.exact($0, count: count) }
        #expect(columns.sorted() == Array(0..<count))
        #expect(Self.total(scores, columns) == Self.best(scores, count: count))
      }
    }
  }

  @Test func approximateIsAMatchingAndNearTheBest() {
    var random = SplitMix64(seed: 2)
    let scores = (0..<40 * 40).map { _ in Float(random.normal()) }
    let (exact, near) = scores.withUnsafeBufferPointer {
      (Assignment.exact($0, count: 40), Assignment.approximate($0, count: 40))
    }
    #expect(exact.sorted() == Array(0..<40))
    #expect(near.sorted() == Array(0..<40))
    #expect(Self.total(scores, near) <= Self.total(scores, exact))
    #expect(Self.total(scores, near) > 0.8 * Self.total(scores, exact))
  }

  @Test(arguments: [4096, 1]) func shuffledNeuronsAreFound(_ exactLimit: Int) throws {
    let family = MemoryExperts.family(count: 5, correlation: 0.9, hidden: 40, width: 24, seed: 3)
    var random = SplitMix64(seed: 4)
    let orders = (0..<5).map { _ in Array(0..<40).shuffled(using: &random) }
    var alignment = NeuronAlignment()
    alignment.exactLimit = exactLimit
    let found = try alignment.align(family.shuffled(by: orders), layer: 0)
    // Place i of the aligned expert is original neuron orders[e][found[e][i]]: the same for all experts.
    let first = found[0].map { orders[0][$0] }
    for expert in 1..<5 { #expect(found[expert].map { orders[expert][$0] } == first) }
  }

  @Test func shuffledNeuronsOfWideModelsAreFound() throws {
    let family = MemoryExperts.family(count: 3, correlation: 0.6, hidden: 20, width: 1500, seed: 7)
    var random = SplitMix64(seed: 8)
    let orders = (0..<3).map { _ in Array(0..<20).shuffled(using: &random) }
    let found = try NeuronAlignment().align(family.shuffled(by: orders), layer: 0)
    let first = found[0].map { orders[0][$0] }
    for expert in 1..<3 { #expect(found[expert].map { orders[expert][$0] } == first) }
  }

  @Test func unlikeExpertsKeepTheirOrder() throws {
    let strangers = MemoryExperts.family(count: 6, correlation: 0, hidden: 16, width: 800, seed: 9)
    #expect(try NeuronAlignment().align(strangers, layer: 0) == [[Int]](repeating: Array(0..<16), count: 6))
  }

  @Test func alignedExpertsStayInOrder() throws {
    let family = MemoryExperts.family(count: 4, correlation: 0.9, hidden: 16, width: 24, seed: 5)
    #expect(try NeuronAlignment().align(family, layer: 0) == [[Int]](repeating: Array(0..<16), count: 4))
  }

  @Test func inverseUndoesAnOrder() {
    let order = [2, 0, 3, 1]
    let values: [Float] = [0, 1, 2, 3, 4, 5, 6, 7]
    for matrix in ExpertMatrix.allCases {
      let (rows, columns) = matrix.neuronsAreRows ? (4, 2) : (2, 4)
      let there = NeuronOrder.permuted(values, matrix: matrix, rows: rows, columns: columns, by: order)
      #expect(there != values)
      let back = NeuronOrder.inverse(order)
      #expect(NeuronOrder.permuted(there, matrix: matrix, rows: rows, columns: columns, by: back) == values)
    }
    #expect(NeuronOrder.permuted(hessian: [1, 2, 3, 4], size: 2, by: [1, 0]) == [4, 3, 2, 1])
  }
}
