/// What is damaged in a file and whether its parity restores it.
public struct RepairPlan: Sendable {
  /// Neighbouring blocks that became the same thing.
  public struct Damage: Sendable, Equatable {
    /// Bytes of the protected file.
    public var range: Range<Int>
    public var state: BlockState
  }

  /// Bytes that the file has, and should have.
  public let size: Int
  public let expectedSize: Int
  /// By offset, in whole blocks.
  public let damage: [Damage]
  public let damagedBlocks: Int
  /// Parity blocks that are whole: as many damaged blocks can be restored.
  public let wholeParity: Int
  public let dataBlocks: Int
  public let blockSize: Int
  /// Ranges of the parity file that are damaged.
  public let parityDamage: [Range<Int>]

  public var isIntact: Bool { damage.isEmpty && size == expectedSize }
  public var canRestore: Bool { damagedBlocks <= wholeParity }
  /// Damaged blocks beyond what parity restores: so many have to be fetched again.
  public var missingBlocks: Int { max(0, damagedBlocks - wholeParity) }
  public var damagedBytes: Int { damage.reduce(0) { $0 + $1.range.count } }

  init(_ states: [BlockState], size: Int, parity: ParityFile) {
    let layout = parity.layout
    var damage: [Damage] = []
    for (block, state) in states.enumerated() where state != .whole {
      let range = layout.range(ofData: block)
      if let last = damage.last, last.state == state, last.range.upperBound == range.lowerBound {
        damage[damage.count - 1].range = last.range.lowerBound..<range.upperBound
      } else {
        damage.append(Damage(range: range, state: state))
      }
    }
    self.damage = damage
    self.size = size
    damagedBlocks = states.count { $0 != .whole }
    expectedSize = layout.fileSize
    dataBlocks = layout.dataBlocks
    blockSize = layout.blockSize
    wholeParity = parity.wholeParity.count
    parityDamage = parity.damage
  }
}
