import ByteIO
import TestSupport
import Testing

@testable import Parity

/// Damage, and what becomes of it.
@Suite struct RepairTests {
  private let directory: TemporaryDirectory
  private let resources = ParityResources(threads: 2, memory: 1 << 20)

  init() throws { directory = try TemporaryDirectory() }

  private func bytes(_ count: Int, seed: UInt64 = 7) -> [UInt8] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in UInt8.random(in: 1 ... .max, using: &random) }
  }

  /// Protects a file of these bytes and gives its path.
  private func protect(_ bytes: [UInt8], percent: Double, blockSize: Int) throws -> String {
    let path = try directory.write(bytes, to: "file")
    try ProtectJob(path, percent: percent, blockSize: blockSize)
      .run(to: ParityFile.path(for: path), overwrite: true, resources: resources)
    return path
  }

  private func repair(_ path: String) throws -> RepairPlan {
    let job = try RepairJob(path, parity: ParityFile.path(for: path), resources: resources)
    guard job.plan.canRestore else { return job.plan }
    try job.run(to: path, overwrite: true)
    if !job.plan.parityDamage.isEmpty { try job.renewParity(from: path) }
    return job.plan
  }

  @Test(arguments: [1, 127, 128, 129, 1000, 128 * 50, 128 * 50 + 1]) func anyBlocksComeBack(_ size: Int) throws {
    let original = bytes(size)
    let path = try protect(original, percent: 10, blockSize: 128)
    let blocks = (size + 127) / 128
    let parity = (blocks + 9) / 10
    var random = SplitMix64(seed: UInt64(size))
    for _ in 0..<20 {
      var damaged = original
      let lost = Array(0..<blocks).shuffled(using: &random).prefix(parity).sorted()
      for (position, block) in lost.enumerated() {
        let range = block * 128..<min(block * 128 + 128, size)
        if position % 2 == 0 {
          damaged[range.randomElement(using: &random) ?? 0] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        } else {
          for index in range { damaged[index] = 0 }
        }
      }
      try directory.write(damaged, to: "file")
      let plan = try repair(path)
      #expect(plan.damagedBlocks == parity && plan.canRestore)
      #expect(try Fixtures.bytes(path) == original)
    }
  }

  @Test func twoPercentOfAThousandBlocks() throws {
    let original = bytes(128 * 1000 - 5)
    let path = try protect(original, percent: 2, blockSize: 128)
    var random = SplitMix64(seed: 99)
    var damaged = original
    for block in Array(0..<1000).shuffled(using: &random).prefix(20) { damaged[block * 128] ^= 0x80 }
    try directory.write(damaged, to: "file")
    #expect(try repair(path).damagedBlocks == 20)
    #expect(try Fixtures.bytes(path) == original)
  }

  @Test func truncatedAndExtendedFilesGetTheirLength() throws {
    let original = bytes(128 * 100)
    let path = try protect(original, percent: 5, blockSize: 128)
    try directory.write(Array(original.dropLast(128 * 4 + 3)), to: "file")
    let cut = try repair(path)
    #expect(cut.damage == [RepairPlan.Damage(range: 128 * 95..<128 * 100, state: .missing)])
    #expect(try Fixtures.bytes(path) == original)
    try directory.write(original + [0, 1], to: "file")
    let long = try repair(path)
    #expect(long.damage.isEmpty && !long.isIntact && long.size == original.count + 2)
    #expect(try Fixtures.bytes(path) == original)
  }

  @Test func whatHappenedIsSaid() throws {
    let original = bytes(128 * 40)
    let path = try protect(original, percent: 20, blockSize: 128)
    var damaged = original
    for index in 256..<512 { damaged[index] = 0 }
    damaged[600] ^= 4
    try directory.write(damaged, to: "file")
    #expect(
      try repair(path).damage == [
        RepairPlan.Damage(range: 256..<512, state: .zeroed), RepairPlan.Damage(range: 512..<640, state: .changed),
      ])
  }

  @Test func tooMuchDamageIsListedAndNothingWritten() throws {
    let original = bytes(128 * 100)
    let path = try protect(original, percent: 2, blockSize: 128)
    var damaged = original
    for block in [3, 4, 50] { damaged[block * 128 + 9] ^= 1 }
    try directory.write(damaged, to: "file")
    let plan = try repair(path)
    #expect(!plan.canRestore && plan.missingBlocks == 1)
    #expect(plan.damage.map(\.range) == [384..<640, 6400..<6528])
    #expect(try Fixtures.bytes(path) == damaged)
    // One range fetched again: parity does the rest.
    damaged.replaceSubrange(6400..<6528, with: original[6400..<6528])
    try directory.write(damaged, to: "file")
    #expect(try repair(path).canRestore)
    #expect(try Fixtures.bytes(path) == original)
  }

  @Test func theParityFileIsMadeAnew() throws {
    let original = bytes(128 * 300)
    let path = try protect(original, percent: 5, blockSize: 128)
    let parityPath = ParityFile.path(for: path)
    let parity = try Fixtures.bytes(parityPath)
    let layout = try ParityLayout(fileSize: original.count, percent: 5, blockSize: 128)
    #expect(layout.paritySize == parity.count && layout.pages == 2)
    var damaged = parity
    for index in 0..<ParityPage.size { damaged[index] = 0 }
    damaged[layout.offset(ofPage: 1, copy: 1) + 77] ^= 1
    damaged[layout.offset(ofParity: 2)] ^= 1
    try directory.write(damaged, to: "file.parity")
    var broken = original
    for block in 0..<14 { broken[block * 128 * 3] ^= 2 }
    try directory.write(broken, to: "file")
    let plan = try repair(path)
    #expect(plan.parityDamage.count == 3 && plan.wholeParity == 14)
    #expect(try Fixtures.bytes(path) == original)
    #expect(try Fixtures.bytes(parityPath) == parity)
  }

  @Test func everyPageCutFromTheParityFileIsNoticed() throws {
    let path = try protect(bytes(5000), percent: 10, blockSize: 128)
    let parityPath = ParityFile.path(for: path)
    let parity = try Fixtures.bytes(parityPath)
    for count in stride(from: 0, to: parity.count, by: 61) {
      try directory.write(Array(parity.prefix(count)), to: "file.parity")
      if count < ParityPage.size {
        #expect(throws: ParityError(.notParity, file: parityPath)) { try ParityFile(parityPath, threads: 1) }
      } else {
        #expect(try !ParityFile(parityPath, threads: 1).damage.isEmpty)
      }
    }
  }

  @Test func theSameBytesForAnyThreadsAndMemory() throws {
    let path = try directory.write(bytes(100_000), to: "file")
    let layouts: [ParityResources] = [1, 2, 7].map { ParityResources(threads: $0, memory: $0 * 5000) }
    let files = try layouts.map {
      try ProtectJob(path, percent: 3, blockSize: 4096)
        .run(to: directory.file("p"), overwrite: true, resources: $0)
      return try Fixtures.bytes(directory.file("p"))
    }
    #expect(files[0] == files[1] && files[1] == files[2])
  }

  @Test func anEmptyFileCanBeProtected() throws {
    let path = try protect([], percent: 2, blockSize: 4096)
    #expect(try repair(path).isIntact)
    try directory.write([1], to: "file")
    #expect(try repair(path).size == 1)
    #expect(try Fixtures.bytes(path).isEmpty)
  }
}
