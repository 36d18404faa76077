import Experts
import Testing

@Suite struct PruningTests {
  @Test func dropsAndRenumbers() throws {
    let plan = try ExpertPruning.dropping([1, 3], layer: 2, of: 5, routedTo: 2)
    #expect(plan.kept == [0, 2, 4])
    #expect((0..<5).map { plan.newNumber(of: $0) } == [0, nil, 1, nil, 2])
    #expect(plan.routerRows([0, 0, 1, 1, 2, 2, 3, 3, 4, 4], width: 2) == [0, 0, 2, 2, 4, 4])
    #expect(plan.weights([[0], [1], [2], [3], [4]]) == [[0], [2], [4]])
  }

  @Test func dropsTheLeastUsed() throws {
    let plan = try ExpertPruning.droppingLeastUsed(keeping: 2, counts: [5, 9, 5, 1], layer: 0, of: 4, routedTo: 2)
    #expect(plan.kept == [0, 1])
    #expect(throws: ExpertError.routerCounts(layer: 0, expected: 4, found: 3)) {
      try ExpertPruning.droppingLeastUsed(keeping: 2, counts: [1, 2, 3], layer: 0, of: 4, routedTo: 1)
    }
  }

  @Test func mergesToTheMean() throws {
    let plan = try ExpertPruning.merging([[3, 1]], layer: 0, of: 4, routedTo: 2)
    #expect(plan.sources == [[0], [1, 3], [2]])
    #expect(plan.newNumber(of: 3) == 1)
    #expect(plan.weights([[0, 0], [1, 2], [5, 5], [3, 6]]) == [[0, 0], [2, 4], [5, 5]])
    #expect(plan.routerRows([0, 1, 2, 3], width: 1) == [0, 2, 2])
  }

  @Test func refusesWhatCannotBe() {
    #expect(throws: ExpertError.noSuchExpert(layer: 1, expert: 4)) {
      try ExpertPruning.dropping([4], layer: 1, of: 4, routedTo: 1)
    }
    #expect(throws: ExpertError.tooFewExperts(layer: 0, kept: 1, needed: 2)) {
      try ExpertPruning.dropping([0, 1, 2], layer: 0, of: 4, routedTo: 2)
    }
    #expect(throws: ExpertError.noSuchExpert(layer: 0, expert: 1)) {
      try ExpertPruning.merging([[0, 1], [1, 2]], layer: 0, of: 4, routedTo: 1)
    }
  }
}
