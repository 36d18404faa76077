import BaleFormat
import ByteIO
import Checkpoints
import Codecs
import Conversion
import Experts
import Pipeline
import Tensors
import TestSupport
import Testing
import Verification

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@Suite struct ExpertSharingTests {
  private let directory: TemporaryDirectory
  private let source: String
  private let bale: String

  init() throws {
    directory = try TemporaryDirectory()
    source = directory.file("model.safetensors")
    bale = directory.file("model.bale")
  }

  private func verify() throws -> VerificationReport {
    try Verifier(bale, against: source).run(resources: Resources(threads: 2, memory: 64 << 20)) { _ in }
  }

  @Test(arguments: [false, true]) func sharedExpertsComeBackWithTheStoredError(isStacked: Bool) throws {
    try ExpertSample(isStacked: isStacked).write(source)
    let (sharing, report) = try Jobs.packSharing(source, to: bale)
    #expect(sharing.slots.allSatisfy { $0.clusters == [[0, 1, 2, 3]] })
    let packed = try BaleCheckpoint(bale)
    let names = try Checkpoints.open(source).tensors.map(\.name).sorted()
    #expect(packed.tensors.map(\.name).sorted() == names, "centroids are no tensors of the model")
    #expect(packed.file.records.count { packed.file.record($0).kind == .resident } == 3)
    let check = try verify()
    #expect(check.holds, "\(check.mismatches)")
    #expect(report.total.relativeMSE > 0 && report.total.relativeMSE < 0.0135)
    #expect(packed.reorderedLayers.isEmpty)
  }

  private static let hasPython = system("python3 -c 'import numpy, zstandard' 2>/dev/null") == 0

  /// specs/reader, written from the specs alone: experts beside centroids, and what of them it lists.
  @Test(.enabled(if: hasPython, "python3 with numpy and zstandard is not installed"), arguments: [false, true])
  func pythonFindsTheSameValues(isStacked: Bool) throws {
    try ExpertSample(count: 3, hidden: 24, width: 20, isStacked: isStacked).write(source)
    _ = try Jobs.packSharing(source, to: bale)
    let program = """
      import bale_reader
      b = bale_reader.BaleFile("\(bale)")
      for name in b.tensors: b.values(name).astype("<f4").tofile("\(directory.path)/" + name)
      """
    let reader = "cd '\(Fixtures.root)/specs/reader' && python3 -B"
    #expect(system("\(reader) -c '\(program)' 2>/dev/null") == 0)
    let packed = try BaleCheckpoint(bale)
    for (index, tensor) in packed.tensors.enumerated() {
      let expected = try SpanReader(packed, tensor: index).values(0..<tensor.shape.elements).withFloats { Array($0) }
      let found = try Fixtures.bytes(directory.file(tensor.name)).withUnsafeBytes {
        Array($0.bindMemory(to: Float.self))
      }
      #expect(found == expected, "\(tensor.name)")
    }
    let list = directory.file("list")
    #expect(system("\(reader) bale_reader.py '\(bale)' list > '\(list)'") == 0)
    let names = String(decoding: try Fixtures.bytes(list), as: UTF8.self).split(separator: "\n").map {
      String($0.prefix { $0 != "\t" })
    }
    #expect(names.sorted() == packed.tensors.map(\.name).sorted())
  }

  @Test func decodedAnywhereTheValuesAreTheSame() throws {
    try ExpertSample().write(source)
    _ = try Jobs.packSharing(source, to: bale)
    try Jobs.unpack(bale, to: directory.file("unpacked"))
    try Jobs.convert(bale, to: directory.file("converted.safetensors"), dequantized: .bf16)
    try Jobs.convert(bale, to: directory.file("converted.gguf"), dequantized: .bf16)
    let unpacked = try Jobs.values(directory.file("unpacked"))
    #expect(try Jobs.values(directory.file("converted.safetensors")) == unpacked)
    #expect(try Jobs.values(directory.file("converted.gguf")) == unpacked)
    #expect(throws: PlanError.self) { try Jobs.convert(bale, to: directory.file("kept.safetensors")) }
    #expect(throws: PlanError.self) { try Jobs.pack(bale, to: directory.file("again.bale")) }
    try Jobs.pack(bale, to: directory.file("int8.bale"), recipe: "int8-experts")
  }

  @Test func shuffledNeuronsAreFoundAgain() throws {
    try ExpertSample().write(source)
    let plain = try Jobs.packSharing(source, to: bale)
    let shuffled = directory.file("shuffled.safetensors")
    try ExpertSample(isShuffled: true).write(shuffled)
    let other = directory.file("shuffled.bale")
    let found = try Jobs.packSharing(shuffled, to: other)
    #expect(found.sharing.orders.keys.sorted() == [0])
    #expect(try BaleCheckpoint(other).reorderedLayers == [0])
    let sizes = try [
      SharingSummary(plain.report, sharing: plain.sharing).bits,
      SharingSummary(found.report, sharing: found.sharing).bits,
    ]
    #expect(abs(sizes[1] / sizes[0] - 1) < 0.01, "\(sizes)")
    let check = try Verifier(other, against: shuffled).run(resources: Resources(threads: 2, memory: 64 << 20)) { _ in }
    #expect(check.holds, "\(check.mismatches)")
    // An expert that isn't the source's is a difference in any order.
    let wrong = directory.file("wrong.safetensors")
    try ExpertSample(isShuffled: true, seed: 2).write(wrong)
    let refused = try Verifier(other, against: wrong).run(resources: Resources(threads: 2, memory: 64 << 20)) { _ in }
    #expect(!refused.holds)
  }

  @Test func unlikeExpertsAreStoredAsTheRecipeSays() throws {
    try ExpertSample(correlation: 0).write(source)
    let (sharing, shared) = try Jobs.packSharing(source, to: bale)
    #expect(!sharing.shares)
    let plain = try Jobs.pack(source, to: directory.file("plain.bale"), recipe: "mxfp4-experts")
    let sizes = (shared.written[0].size, plain.written[0].size)
    #expect(Double(sizes.0) <= Double(sizes.1) * 1.001 + 128, "\(sizes)")
    #expect(try verify().holds)
  }

  @Test func aGoalIsMet() throws {
    try ExpertSample(hidden: 160, width: 128).write(source)
    let (sharing, report) = try Jobs.packSharing(source, to: bale, request: SharingRequest(goal: .bits(2.5)))
    let bits = try SharingSummary(report, sharing: sharing).bits
    #expect(bits <= 2.5 && bits > 2.3, "\(bits)")
    let loose = directory.file("loose.bale")
    let other = try Jobs.packSharing(source, to: loose, request: SharingRequest(goal: .error(0.02)))
    let error = other.report.total.relativeMSE
    #expect(error <= 0.0205 && error > 0.018, "\(error)")
    let saving = try #require(other.sharing.forecast).saving
    #expect(saving > 0.8, "\(saving)")
  }

  @Test func threadsDoNotChangeTheFile() throws {
    try ExpertSample(isShuffled: true).write(source)
    _ = try Jobs.packSharing(source, to: bale, threads: 1)
    _ = try Jobs.packSharing(source, to: directory.file("b.bale"), threads: 3)
    #expect(try Fixtures.bytes(bale) == Fixtures.bytes(directory.file("b.bale")))
  }

  /// Counts the reads of a file.
  private final class CountingSource: ByteSource {
    let file: InputFile
    let reads = Lock<[Range<Int>]>([])

    init(_ path: String) throws { file = try InputFile(path) }
    var path: String { file.path }
    var size: Int { file.size }
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
      reads.withLock { $0.append(offset..<offset + buffer.count) }
      try file.read(at: offset, into: buffer)
    }
    func checkUnchanged() throws { try file.checkUnchanged() }
  }

  @Test func oneExpertIsOneAlignedRead() throws {
    try ExpertSample().write(source)
    _ = try Jobs.packSharing(source, to: bale)
    let counting = try CountingSource(bale)
    let file = try BaleFile(sources: [counting])
    let record = try #require(file.record(layer: 0, expert: 2))
    counting.reads.withLock { $0 = [] }
    _ = try file.readRecord(record)
    let reads = counting.reads.withLock { $0 }
    #expect(reads.count == 1)
    #expect(reads[0] == record.range && reads[0].lowerBound % 16384 == 0 && reads[0].count % 16384 == 0)
  }

  @Test(arguments: [false, true]) func anExtractedExpertIsTheCheckpoints(isStacked: Bool) throws {
    try ExpertSample(isStacked: isStacked).write(source)
    for (index, dedupes) in [true, false].enumerated() {
      let path = directory.file("\(index).bale")
      if dedupes {
        _ = try Jobs.packSharing(source, to: path)
      } else {
        try Jobs.pack(source, to: path, recipe: "int4-experts")
      }
      let packed = try BaleCheckpoint(path)
      let experts = CheckpointExperts(packed)
      let tensors = try packed.expert(layer: 0, expert: 3)
      let wanted = try Experts.ExpertMatrix.allCases.map { try experts.matrix(layer: 0, expert: 3, matrix: $0) }
      #expect(tensors.map(\.values) == wanted)
      #expect(tensors.map(\.shape.dimensions) == [[96, 64], [96, 64], [64, 96]])
      #expect(throws: NoExpertRecord.self) { try packed.expert(layer: 0, expert: 4) }
    }
  }

  @Test(arguments: [false, true]) func equalExpertsAreStoredOnceInAnArchive(isStacked: Bool) throws {
    try ExpertSample(isStacked: isStacked, isRepeated: true).write(source)
    let packed = try Jobs.pack(source, to: bale)
    let single = directory.file("single.safetensors")
    try ExpertSample(count: 1, isStacked: isStacked, isRepeated: true).write(single)
    let one = try Jobs.pack(single, to: directory.file("single.bale"))
    #expect(packed.written[0].size < one.written[0].size + 8192)
    #expect(try verify().holds)
    try Jobs.unpack(bale, to: directory.file("restored"))
    #expect(try Fixtures.bytes(directory.file("restored/model.safetensors")) == Fixtures.bytes(source))
  }

  @Test func aCentroidThatIsNotThereIsAnError() throws {
    #expect(
      "\(try CodecRegistry.codec("residual:codec=trellis,reference=a.b").descriptor)"
        == "residual:codec=trellis,reference=a.b")
    let path = directory.file("lone.bale")
    let writer = try BaleWriter(path)
    let codec = try ResidualCodec(TernaryCodec(group: 4, scale: .f32, packing: .bits2), reference: "none")
    let shape = try #require(Shape([1, 8]))
    let id = try writer.declare(
      TensorDeclaration(name: "w", dtype: .bf16, shape: shape, encoding: "\(codec.descriptor)", isLossless: false))
    let layout = try PartLayout(codec: codec, elements: 8, columns: 8)
    try writer.beginRecord(.tensor, parts: [PartDeclaration(tensor: id, range: 0..<1, layout: layout)])
    for (plane, bytes) in [[UInt8](repeating: 0, count: 2), [UInt8](repeating: 0, count: 8)].enumerated() {
      try writer.append(layout.chunk(plane: plane, index: 0, bytes: bytes, sha256: false) { Array($0) }, part: 0)
    }
    try writer.endRecord()
    _ = try writer.commit()
    #expect(throws: UnknownReference.self) { try BaleCheckpoint(path) }
  }
}
