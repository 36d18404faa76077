import ByteIO
import Calibration
import Checkpoints
import Codecs
import GGUF
import Tensors
import TestSupport
import Testing

@testable import Conversion

/// Importance matrices where models are quantized.
@Suite struct ImportanceTests {
  private let directory: TemporaryDirectory
  private let model: String
  private let values: [Float]
  private static let experts = 3
  private static let rows = 5
  private static let columns = 512
  private static let name = "blk.0.ffn_up_exps.weight"

  init() throws {
    directory = try TemporaryDirectory()
    values = normals(Self.experts * Self.rows * Self.columns, seed: 5)
    var file = ModelFile(architecture: "llama", keys: ["block_count": 1, "expert_count": 3])
    file.add(Self.name, [Self.experts, Self.rows, Self.columns], values: values)
    file.add("token_embd.weight", [2, 256], values: normals(512, seed: 6))
    model = try file.write(directory.file("model.gguf"))
  }

  private func imatrix(_ sums: [Float], counts: [Float], name: String = Self.name) throws -> ImportanceMatrix {
    var file = ModelFile(architecture: "none")
    file.metadata = [
      "general.type": .string("imatrix"), "imatrix.datasets": .array(.string(GGUFStrings(["wiki", "code"]))),
      "imatrix.chunk_count": .uint32(7), "imatrix.chunk_size": .uint32(512),
    ]
    file.add(name + ".in_sum2", [counts.count, sums.count / counts.count], values: sums)
    file.add(name + ".counts", [counts.count, 1], values: counts)
    return try ImportanceMatrix(file.write(directory.file("imatrix.gguf")))
  }

  private func plan(_ type: GGUFFileType, _ imatrix: ImportanceMatrix?, search: Bool = false) throws -> ConvertPlan {
    var request = ConvertRequest(format: .gguf, isSingleFile: true)
    request.quantization = GGUFQuantization(type)
    request.quantization?.importance = imatrix
    request.quantization?.searches = search
    return try ConvertPlan(Checkpoints.open(model), request: request)
  }

  private func convert(_ plan: ConvertPlan, threads: Int = 2, memory: Int = 1 << 20) throws -> [UInt8] {
    let path = directory.file("out.gguf")
    let target = ConvertDestination(path: path, isSingleFile: true, overwrite: true)
    _ = try ConvertJob(Checkpoints.open(model), plan: plan)
      .run(to: target, resources: Resources(threads: threads, memory: memory)) { _ in }
    return try Fixtures.bytes(path)
  }

  private static let sums: [Float] = normals(experts * columns, seed: 9).map { $0 * $0 * 400 }

  @Test(arguments: [GGUFFileType.q4_K_M, .q2_K, .q5_0, .iq4_nl, .q3_K_L, .q6_K], [false, true])
  func everyExpertIsQuantizedByItsOwnColumns(_ type: GGUFFileType, _ search: Bool) throws {
    let counts: [Float] = [4, 0, 2]
    let plan = try plan(type, imatrix(Self.sums, counts: counts), search: search)
    let output = try #require(plan.outputs.first { $0.name == Self.name })
    let codec = try #require(output.codec as? GGMLCodec)
    let bytes = try convert(plan)[output.range]
    let size = Self.rows * Self.columns
    var expected: [UInt8] = []
    for expert in 0..<Self.experts {
      let importance = Self.sums[expert * Self.columns..<(expert + 1) * Self.columns].map {
        counts[expert] == 0 ? 1 : $0 / counts[expert]
      }
      var plane = [UInt8](repeating: 0, count: codec.bytes(plane: 0, elements: size, columns: Self.columns))
      try values[expert * size..<(expert + 1) * size].withUnsafeBufferPointer { values in
        try plane.withUnsafeMutableBytes {
          try codec.encodeReference(
            values, columns: Self.columns, rule: search ? .search : .compatible, importance: importance, into: [$0])
        }
      }
      expected += plane
    }
    #expect(Array(bytes) == expected)
    #expect(plan.withoutImportance == ["token_embd.weight"])
    #expect(try convert(plan, threads: 1, memory: 1 << 30)[output.range] == bytes)
    let other = try self.plan(type, nil, search: search)
    let range = try #require(other.outputs.first { $0.name == Self.name }).range
    #expect(try Array(convert(other)[range]) != expected)
  }

  @Test func theOutputSaysWhatItWasMadeBy() throws {
    _ = try convert(plan(.q4_0, imatrix(Self.sums, counts: [4, 0, 2])))
    let metadata = try GGUFModel(directory.file("out.gguf")).metadata
    #expect(
      metadata.entries.suffix(6).map(\.key) == [
        "general.quantization_version", "general.file_type", "quantize.imatrix.file", "quantize.imatrix.dataset",
        "quantize.imatrix.entries_count", "quantize.imatrix.chunks_count",
      ])
    #expect(metadata.text("quantize.imatrix.file") == String(directory.file("imatrix.gguf").prefix(127)))
    #expect(metadata.text("quantize.imatrix.dataset") == "wiki")
    #expect(metadata["quantize.imatrix.entries_count"] == .uint32(1))
    #expect(metadata["quantize.imatrix.chunks_count"] == .uint32(7))
  }

  @Test func anEntryOfAnotherSizeIsRefused() throws {
    let error = #expect(throws: PlanError.self) {
      try plan(.q4_0, imatrix(Array(repeating: 1, count: 512), counts: [1]))
    }
    #expect(error?.tensor == Self.name)
    // That of embeddings is passed over, as their inputs are tokens.
    let passed = try plan(.q4_0, imatrix(Array(repeating: 1, count: 512), counts: [1], name: "token_embd.weight"))
    #expect(passed.withoutImportance == ["token_embd.weight", Self.name])
  }

  @Test func smallMixesNeedAnEntry() throws {
    let without = #expect(throws: PlanError.self) { try plan(.q2_K_S, nil) }
    #expect(without?.tensor == Self.name && without?.reason.contains("--imatrix") == true)
    let missing = #expect(throws: PlanError.self) {
      try plan(.q2_K_S, imatrix(Array(repeating: 1, count: 256), counts: [1], name: "other.weight"))
    }
    #expect(missing?.tensor == Self.name)
    #expect(try plan(.q2_K_S, imatrix(Self.sums, counts: [1, 1, 1])).outputs.count == 2)
  }

  @Test func badImatricesAreRefused() throws {
    var sums = Self.sums
    sums[700] = .nan
    let error = #expect(throws: CalibrationError.self) { try imatrix(sums, counts: [1, 1, 1]) }
    #expect(error?.tensor == Self.name)
    #expect(throws: CalibrationError.self) { try imatrix(Self.sums, counts: [1, .infinity, 1]) }
    #expect(throws: CalibrationError.self) { try ImportanceMatrix(model) }
    var file = ModelFile(architecture: "none")
    file.metadata = [
      "imatrix.datasets": .array(.string(GGUFStrings(["a"]))), "imatrix.chunk_count": .uint32(7),
      "imatrix.chunk_size": .uint32(512),
    ]
    for (name, type, shape, reason) in [
      ("a.counts", GGMLType.f32, [1], CalibrationReason.unpaired), ("a.in_sum2", .f32, [2], .unpaired),
      ("a.weight", .f32, [2], .name),
    ] {
      var bad = file
      bad.add(name, shape, type)
      let error = #expect(throws: CalibrationError.self) { try ImportanceMatrix(bad.write(directory.file("bad"))) }
      #expect(error?.reason == reason)
    }
    for (sums, counts, type) in [([3], [2], GGMLType.f32), ([4], [2], .f16), ([0], [1], .f32), ([2], [0], .f32)] {
      var bad = file
      bad.add("a.in_sum2", sums, type)
      bad.add("a.counts", counts)
      #expect(throws: CalibrationError.self) { try ImportanceMatrix(bad.write(directory.file("bad"))) }
    }
  }
}
