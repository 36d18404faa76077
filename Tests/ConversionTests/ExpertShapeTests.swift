import BaleFormat
import ByteIO
import Checkpoints
import Codecs
import Conversion
import Experts
import Tensors
import TestSupport
import Testing
import Verification

/// Packing beside centroids whatever the number and the shapes of experts, and however they are stored.
@Suite struct ExpertShapeTests {
  private let directory: TemporaryDirectory
  private let source: String

  init() throws {
    directory = try TemporaryDirectory()
    source = directory.file("model.safetensors")
  }

  static let samples: [ExpertSample] = [
    ExpertSample(count: 3, hidden: 37, width: 23),
    ExpertSample(count: 3, hidden: 37, width: 23, isShuffled: true),
    ExpertSample(count: 2, hidden: 5, width: 70, isStacked: true),
    ExpertSample(count: 7, hidden: 33, width: 65, isShuffled: true, isStacked: true),
    ExpertSample(count: 3, hidden: 37, width: 23, isFused: true),
    ExpertSample(count: 5, hidden: 40, width: 31, isShuffled: true, isFused: true),
    ExpertSample(count: 6, hidden: 48, width: 33, families: 2),
    ExpertSample(count: 6, hidden: 48, width: 33, isStacked: true, families: 2),
    ExpertSample(count: 16, hidden: 8, width: 9),
  ]

  /// What comes back is as far from the source as the file says, and every way to decode gives the same.
  private func roundTrip(_ goal: RateControl.Goal?) throws -> (sharing: ExpertSharing, report: PackReport) {
    let bale = directory.file("\(goal == nil ? 0 : 1).bale")
    let packed = try Jobs.packSharing(source, to: bale, request: SharingRequest(goal: goal))
    let check = try Verifier(bale, against: source).run(resources: Resources(threads: 2, memory: 64 << 20)) { _ in }
    #expect(check.holds, "\(check.mismatches)")
    let unpacked = directory.file("unpacked\(goal == nil ? 0 : 1)")
    try Jobs.unpack(bale, to: unpacked)
    let names = try Checkpoints.open(source).tensors.map(\.name).sorted()
    #expect(try Checkpoints.open(unpacked).tensors.map(\.name).sorted() == names)
    return packed
  }

  @Test(arguments: samples.indices) func comesBack(number: Int) throws {
    let sample = Self.samples[number]
    try sample.write(source)
    for goal in [nil, RateControl.Goal.bits(3)] {
      let (sharing, _) = try roundTrip(goal)
      let isOneStack = sample.isStacked || sample.isFused
      for slot in sharing.slots {
        let families = (0..<sample.families).map { first in
          Array(stride(from: first, to: sample.count, by: sample.families))
        }
        // A stack has one centroid; two unlike families in it have none.
        let expected = isOneStack && sample.families > 1 && !slot.shares ? slot.clusters : families
        #expect(slot.clusters == expected || isOneStack && slot.clusters == [Array(0..<sample.count)])
      }
    }
  }

  @Test(arguments: [false, true]) func oneExpertHasNothingToShare(isStacked: Bool) throws {
    try ExpertSample(count: 1, hidden: 37, width: 23, isStacked: isStacked).write(source)
    #expect(try !roundTrip(nil).sharing.shares)
    let (sharing, report) = try roundTrip(.error(0.01))
    #expect(!sharing.shares && sharing.encodesAll)
    #expect(report.total.relativeMSE < 0.0101)
  }

  /// The expert that every token goes through is no routed expert.
  @Test func sharedExpertsAreLeftAsTheRecipeSays() throws {
    let name = "model.layers.0.mlp.shared_experts.gate_proj.weight"
    try ExpertSample(isStacked: true, others: [(name, [96, 64])]).write(source)
    let (sharing, report) = try roundTrip(.bits(2))
    #expect(sharing.slots.allSatisfy { $0.experts == 4 })
    let kept = try #require(report.plan.tensors.first { $0.name == name })
    #expect("\(kept.codec.descriptor)" == "plain:dtype=BF16")
  }

  /// Experts of a layer that aren't of one shape are stored as the recipe says; those of other layers share.
  @Test func layersOfUnlikeShapesAreLeftAsTheRecipeSays() throws {
    let odd = ["w1", "w3", "w2"].flatMap { matrix in
      (0..<2).map { expert in
        let hidden = 32 + 32 * expert
        return (
          name: "model.layers.1.block_sparse_moe.experts.\(expert).\(matrix).weight",
          shape: matrix == "w2" ? [64, hidden] : [hidden, 64]
        )
      }
    }
    try ExpertSample(others: odd).write(source)
    let (sharing, report) = try roundTrip(nil)
    #expect(sharing.slots.allSatisfy { $0.layer == 0 && $0.shares })
    for tensor in report.plan.tensors where tensor.name.contains("layers.1.") {
      #expect("\(tensor.codec.descriptor)" == "mxfp4")
    }
  }
}
