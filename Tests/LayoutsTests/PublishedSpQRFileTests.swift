import Checkpoints
import Codecs
import Conversion
import Layouts
import Safetensors
import Tensors
import TestSupport
import Testing

/// Files as SpQR's inference library writes them: read, packed, and written again.
@Suite struct PublishedSpQRFileTests {
  private let directory: TemporaryDirectory
  private let resources = Resources(threads: 2, memory: 64 << 20)
  private static let module = "model.layers.0.self_attn.q_proj"

  init() throws { directory = try TemporaryDirectory() }

  private func weight(rows: Int = 96, columns: Int = 64, permuted: Bool, density: Double = 0.03) throws -> SpQRMatrix {
    var random = SplitMix64(seed: 91)
    var dense = BilevelMatrix(rows: rows, columns: columns, codec: try PublishedSpQR.codec(permuted: permuted).dense)
    for index in dense.codes.indices { dense.codes[index] = UInt8.random(in: 0..<8, using: &random) }
    for index in dense.scaleCodes.indices {
      dense.scaleCodes[index] = UInt8.random(in: 0..<8, using: &random)
      dense.zeroCodes[index] = UInt8.random(in: 0..<8, using: &random)
    }
    for index in dense.statistics.indices { dense.statistics[index] = UInt16.random(in: 0..<0x3C00, using: &random) }
    let outliers = (0..<rows * columns).filter { _ in Double.random(in: 0..<1, using: &random) < density }
      .map { Outlier(position: $0, bits: UInt16.random(in: 1...0x7BFF, using: &random)) }
    return SpQRMatrix(
      dense: dense, outliers: outliers, permutation: permuted ? Array(0..<columns).shuffled(using: &random) : [])
  }

  private func bytes<Number: FixedWidthInteger>(_ numbers: [Number]) -> [UInt8] {
    numbers.flatMap { number in (0..<Number.bitWidth / 8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
  }

  /// A model of one such weight and a norm.
  private func write(_ published: PublishedSpQR, leaving out: String = "") throws -> String {
    var tensors: [SafetensorsWriter.Tensor] = []
    func add(_ name: String, _ dtype: DType, _ bytes: [UInt8]) throws {
      guard name != out else { return }
      let shape = try #require(Shape([bytes.count * 8 / dtype.bits]))
      tensors.append(
        SafetensorsWriter.Tensor(SafetensorsTensorSpec("\(Self.module).\(name)", dtype, shape), bytes))
    }
    try add("dense_weights", .i64, bytes(published.denseWords))
    try add("row_offsets", .i32, bytes(published.rowOffsets))
    try add("col_vals", .i32, bytes(published.columnValues))
    if !published.permutation.isEmpty { try add("in_perm", .i32, bytes(published.permutation)) }
    try add("norm", .f16, [0, 0x3C])
    let path = directory.file("\(published.rows)x\(published.columns)\(out).safetensors")
    try SafetensorsWriter.write(tensors, to: path)
    return path
  }

  private func values(_ checkpoint: any Checkpoint, _ name: String) throws -> [UInt32] {
    let index = try #require(checkpoint.tensors.firstIndex { $0.name == name })
    let reader = SpanReader(checkpoint, tensor: index)
    return try reader.values(0..<reader.elements).withFloats { $0.map(\.bitPattern) }
  }

  @Test(arguments: PublishedSpQR.Sparse.allCases, [false, true])
  func comeBackFromABale(sparse: PublishedSpQR.Sparse, permuted: Bool) throws {
    let published = try PublishedSpQR(weight(permuted: permuted), sparse: sparse)
    let path = try write(published)
    let source = try Layouts.open(path)
    let seen = try #require(source.tensors.first { $0.name == Self.module + ".weight" })
    #expect(seen.shape.dimensions == [96, 64] && seen.layout == "SpQR")
    _ = try PackJob(source, plan: PackPlan(source, recipe: Recipe(name: "keep", rules: [])), options: PackOptions())
      .run(to: directory.file("a.bale"), resources: resources) { _ in }
    let packed = try BaleCheckpoint(directory.file("a.bale"))
    #expect(try values(packed, seen.name) == values(source, seen.name))

    let files = try PublishedSpQRFiles(packed, sparse: sparse)
    let request = ConvertRequest(format: .safetensors, isSingleFile: true)
    _ = try ConvertJob(files, plan: ConvertPlan(files, request: request)).run(
      to: ConvertDestination(path: directory.file("b.safetensors"), isSingleFile: true, overwrite: false),
      resources: resources
    ) { _ in }
    let (before, after) = (try SafetensorsCheckpoint(path), try SafetensorsCheckpoint(directory.file("b.safetensors")))
    #expect(Set(before.tensors.map(\.name)) == Set(after.tensors.map(\.name)))
    for (index, tensor) in before.tensors.enumerated() {
      let other = try #require(after.tensors.firstIndex { $0.name == tensor.name })
      #expect(after.tensors[other].shape == tensor.shape)
      let (a, b) = (SpanReader(before, tensor: index), SpanReader(after, tensor: other))
      #expect(try a.read(0..<a.elements).bytes(0) == b.read(0..<b.elements).bytes(0), "\(tensor.name)")
    }
  }

  /// The dense planes of the same values take 116 bytes a tile, and the published words 128.
  @Test func theDensePartIsNinePercentSmaller() throws {
    let span = try weight(rows: 256, columns: 512, permuted: false, density: 0)
    let published = try PublishedSpQR(span, sparse: .csr)
    let planes = try PublishedSpQR.codec(permuted: false).pack(published.span())
    let (ours, theirs) = (planes.prefix(3).reduce(0) { $0 + $1.count }, published.denseWords.count * 8)
    #expect(ours * 128 == theirs * 116)
    #expect(Double(ours) <= 0.91 * Double(theirs))
  }

  @Test func whatIsMissingIsNamed() throws {
    let published = try PublishedSpQR(weight(permuted: true), sparse: .csr)
    for name in ["row_offsets", "col_vals"] {
      #expect(throws: LayoutError.self) { try Layouts.open(write(published, leaving: name)) }
    }
  }

  /// Without a permutation and without outliers, sides could be those of another matrix.
  @Test func sidesThatNothingTellsAreRefused() throws {
    let published = try PublishedSpQR(
      weight(rows: 48, columns: 32, permuted: false, density: 0), sparse: .interleaved)
    #expect(try Layouts.open(write(published)).tensors.contains { $0.shape.dimensions == [48, 32] })
    let both = try PublishedSpQR(
      weight(rows: 256, columns: 256, permuted: false, density: 0), sparse: .interleaved)
    #expect(throws: LayoutError.self) { try Layouts.open(write(both)) }
  }

  @Test func otherEncodingsAreNotExported() throws {
    let source = try Checkpoints.open(Fixtures.samples + "/tiny-mixtral")
    let recipe = Recipe(
      name: "spqr", rules: [.init(Selector("attention"), try Treatment(parsing: "spqr:bits=3"))])
    _ = try PackJob(source, plan: PackPlan(source, recipe: recipe), options: PackOptions())
      .run(to: directory.file("c.bale"), resources: resources) { _ in }
    let packed = try BaleCheckpoint(directory.file("c.bale"))
    #expect(throws: PlanError.self) { try PublishedSpQRFiles(packed, sparse: .csr) }
  }
}
