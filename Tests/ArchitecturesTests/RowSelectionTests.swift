import Architectures
import Testing

struct RowSelectionTests {
  private func rows(_ selection: RowSelection, of count: Int) -> [Int]? {
    selection.count(of: count).map { (0..<$0).map { selection.sourceRow(forOutputRow: $0, of: count) } }
  }

  @Test func formulas() {
    #expect(rows(.all, of: 3) == [0, 1, 2])
    #expect(rows(.range(1..<3), of: 3) == [1, 2])
    #expect(rows(.strided(start: 1, step: 2, count: 2), of: 4) == [1, 3])
    #expect(rows(.blocks(offset: 1, length: 2, stride: 4, count: 2), of: 8) == [1, 2, 5, 6])
    #expect(rows(.headPermuted(heads: 2), of: 12) == [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11])
    #expect(rows(.headRestored(heads: 1), of: 6) == [0, 2, 4, 1, 3, 5])
  }

  @Test(arguments: [(1, 2), (2, 8), (3, 30), (8, 128)]) func permutationsUndoEachOther(_ heads: Int, _ count: Int) {
    for row in 0..<count {
      let source = RowSelection.headPermuted(heads: heads).sourceRow(forOutputRow: row, of: count)
      #expect(RowSelection.headRestored(heads: heads).sourceRow(forOutputRow: source, of: count) == row)
    }
  }

  @Test func whatDoesNotFit() {
    #expect(RowSelection.range(0..<4).count(of: 3) == nil)
    #expect(RowSelection.strided(start: 1, step: 2, count: 2).count(of: 3) == nil)
    #expect(RowSelection.blocks(offset: 2, length: 3, stride: 4, count: 2).count(of: 8) == nil)
    #expect(RowSelection.headPermuted(heads: 3).count(of: 8) == nil)
    #expect(RowSelection.headPermuted(heads: 4).count(of: 4) == nil)
    #expect(RowSelection.headPermuted(heads: 0).count(of: 4) == nil)
  }

  /// A run's sources follow one another, and cover the selection.
  @Test(arguments: [
    RowSelection.all, .range(2..<7), .strided(start: 0, step: 3, count: 4), .strided(start: 1, step: 1, count: 5),
    .blocks(offset: 0, length: 3, stride: 6, count: 2), .headPermuted(heads: 2),
  ]) func runs(_ selection: RowSelection) throws {
    let count = try #require(selection.count(of: 12))
    var row = 0
    while row < count {
      let run = selection.run(fromOutputRow: row, limit: count - row)
      #expect(run >= 1 && row + run <= count)
      for offset in 0..<run {
        let first = selection.sourceRow(forOutputRow: row, of: 12)
        #expect(selection.sourceRow(forOutputRow: row + offset, of: 12) == first + offset)
      }
      row += run
    }
  }
}
