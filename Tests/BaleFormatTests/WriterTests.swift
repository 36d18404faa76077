import BaleFormat
import ByteIO
import Codecs
import Tensors
import TestSupport
import Testing

@Suite struct WriterTests {
  /// What the writer makes of raw tensors, and what the estimate says.
  private func estimate(_ tensors: [SampleTensor], metadata: [UInt8], sha256: Bool) throws -> BaleSizeEstimate {
    var estimate = BaleSizeEstimate(metadata: metadata, sha256: sha256)
    for tensor in tensors { estimate.declare(tensor.declaration) }
    for tensor in tensors where tensor.length != 2 {
      try estimate.addRecord(.tensor, parts: [tensor.layout(0..<tensor.length)])
    }
    for expert in 0..<2 where tensors.contains(where: { $0.length == 2 }) {
      try estimate.addRecord(
        .expert(layer: 0, expert: expert),
        parts: tensors.filter { $0.length == 2 }.map { try $0.layout(expert..<expert + 1) })
    }
    return estimate
  }

  private func write(_ tensors: [SampleTensor], to path: String, metadata: [UInt8], sha256: Bool) throws -> Int {
    var options = BaleWriter.Options()
    options.metadata = metadata
    options.sha256 = sha256
    let writer = try BaleWriter(path, options: options)
    let ids = try tensors.map { try writer.declare($0.declaration) }
    for (tensor, id) in zip(tensors, ids) where tensor.length != 2 {
      try SampleFile.write(.tensor, [(tensor, id, 0..<tensor.length)], to: writer, sha256: sha256)
    }
    for expert in 0..<2 where tensors.contains(where: { $0.length == 2 }) {
      let parts = zip(tensors, ids).filter { $0.0.length == 2 }.map { ($0, $1, expert..<expert + 1) }
      try SampleFile.write(.expert(layer: 0, expert: expert), parts, to: writer, sha256: sha256)
    }
    return try writer.commit()[0].size
  }

  @Test(arguments: [false, true]) func theEstimateOfRawPlanesIsExact(sha256: Bool) throws {
    let directory = try TemporaryDirectory()
    let raw = (SampleFile.plain + SampleFile.experts).map { tensor in
      var tensor = tensor
      tensor.compressed = []
      if tensor.codec is TestCodec { tensor.codec = TestCodec(hasOutliers: false) }
      return tensor
    }
    let metadata = Array("{\"tool\":\"test\"}".utf8)
    let estimate = try estimate(raw, metadata: metadata, sha256: sha256)
    #expect(estimate.isExact)
    #expect(try write(raw, to: directory.file("a.bale"), metadata: metadata, sha256: sha256) == estimate.size)
  }

  @Test func theEstimateOfCompressedPlanesIsABound() throws {
    let directory = try TemporaryDirectory()
    let tensors = SampleFile.plain
    let estimate = try estimate(tensors, metadata: [], sha256: false)
    #expect(!estimate.isExact)
    #expect(try write(tensors, to: directory.file("a.bale"), metadata: [], sha256: false) < estimate.size)
  }

  @Test func equalRecordsAreStoredOnce() async throws {
    let directory = try TemporaryDirectory()
    let writer = try BaleWriter(directory.file("a.bale"))
    let one = SampleTensor(name: "one", shape: [3000], codec: PlainCodec(.u8), dtype: .u8, seed: 1)
    var two = one
    two.name = "two"
    var three = one
    three.name = "three"
    three.seed = 2
    for tensor in [one, two, three] {
      let id = try writer.declare(tensor.declaration)
      try SampleFile.write(.tensor, [(tensor, id, 0..<3000)], to: writer)
    }
    let written = try writer.commit()
    let bytes = try Fixtures.bytes(written[0].path)
    let file = try BaleFile(written[0].path)
    let ranges = file.records.map { file.record($0).range }
    #expect(ranges == [128..<3200, 128..<3200, 3200..<6272])
    for name in ["one", "two"] {
      let part = try #require(file.tensor(named: name)?.parts.first)
      #expect(try file.readChunk(0, plane: 0, of: part) == Array(bytes[128..<3128]))
    }
    var damaged = bytes
    damaged[500] ^= 1
    let report = try BaleFile(sources: [MemorySource(damaged)]).verify()
    #expect(report.damage.map(\.range) == [128..<3200])
    #expect(report.damage.map(\.tensors) == [["one", "two"]])
    #expect(report.damage.first?.records.map(\.index) == [0, 1])
  }

  @Test func equalExpertsShareTheirRecord() throws {
    let directory = try TemporaryDirectory()
    let writer = try BaleWriter(directory.file("a.bale"))
    let tensor = SampleTensor(name: "e", shape: [3, 64], codec: PlainCodec(.u8), dtype: .u8, seed: 1)
    let id = try writer.declare(tensor.declaration)
    for expert in 0..<3 {
      let layout = try tensor.layout(expert..<expert + 1)
      try writer.beginRecord(
        .expert(layer: 0, expert: expert),
        parts: [PartDeclaration(tensor: id, range: expert..<expert + 1, layout: layout)])
      let bytes = [UInt8](repeating: expert == 1 ? 1 : 0, count: 64)
      try writer.append(try layout.chunk(plane: 0, index: 0, bytes: bytes), part: 0)
      try writer.endRecord()
    }
    let file = try BaleFile(try writer.commit()[0].path)
    let ranges = (0..<3).compactMap { file.record(layer: 0, expert: $0)?.range }
    #expect(ranges == [16384..<32768, 32768..<49152, 16384..<32768])
    for expert in 0..<3 {
      let record = try #require(file.record(layer: 0, expert: expert))
      try file.readRecord(record).withPlane(0, part: 0) {
        #expect($0.allSatisfy { $0 == (expert == 1 ? 1 : 0) } && $0.count == 64)
      }
    }
  }

  @Test func nothingIsLeftOfAnUnfinishedFile() throws {
    let directory = try TemporaryDirectory()
    do {
      let writer = try BaleWriter(directory.file("a.bale"))
      _ = try writer.addBlob(SampleFile.blob)
    }
    #expect(try Path.entries(of: directory.path).isEmpty)
  }

  @Test func anExistingFileIsKept() throws {
    let directory = try TemporaryDirectory()
    let path = try directory.write([1, 2, 3], to: "a.bale")
    #expect(throws: IOError.self) { try BaleWriter(path) }
    var options = BaleWriter.Options()
    options.overwrite = true
    _ = try SampleFile.write(to: path, options: options)
    #expect(try BaleFile(path).tensorCount == 9)
  }
}

@Suite struct WriterMisuseTests {
  private let directory: TemporaryDirectory
  private let writer: BaleWriter
  private let tensor = SampleTensor(name: "t", shape: [4, 16], codec: PlainCodec(.u8), dtype: .u8, seed: 1)

  init() throws {
    directory = try TemporaryDirectory()
    writer = try BaleWriter(directory.file("a.bale"))
  }

  @Test func namesAreUnique() throws {
    _ = try writer.declare(tensor.declaration)
    #expect(throws: BaleWriterError.duplicateTensor("t")) { try writer.declare(tensor.declaration) }
  }

  @Test func namesThatDifferInBytesAreTwo() throws {
    for name in ["\u{E9}", "e\u{301}"] {
      var tensor = tensor
      tensor.name = name
      let id = try writer.declare(tensor.declaration)
      try SampleFile.write(.tensor, [(tensor, id, 0..<4)], to: writer)
    }
    let file = try BaleFile(try writer.commit()[0].path)
    #expect(file.index(named: "e\u{301}") == 0 && file.index(named: "\u{E9}") == 1)
  }

  @Test func callsComeInOrder() throws {
    let id = try writer.declare(tensor.declaration)
    let layout = try tensor.layout(0..<4)
    let chunk = try layout.chunk(plane: 0, index: 0, bytes: [UInt8](repeating: 0, count: 64))
    #expect(throws: BaleWriterError.order("append")) { try writer.append(chunk, part: 0) }
    #expect(throws: BaleWriterError.order("endRecord")) { try writer.endRecord() }
    let part = PartDeclaration(tensor: id, range: 0..<4, layout: layout)
    try writer.beginRecord(.tensor, parts: [part])
    #expect(throws: BaleWriterError.order("beginRecord")) { try writer.beginRecord(.tensor, parts: [part]) }
    #expect(throws: BaleWriterError.order("commit")) { try writer.commit() }
    #expect(throws: BaleWriterError.order("append")) { try writer.append(chunk, part: 1) }
    try writer.append(chunk, part: 0)
    #expect(throws: BaleWriterError.chunkRepeated(plane: .codes, index: 0)) { try writer.append(chunk, part: 0) }
    try writer.endRecord()
    _ = try writer.commit()
    #expect(throws: BaleWriterError.order("commit")) { try writer.commit() }
  }

  @Test func recordsAreComplete() throws {
    let id = try writer.declare(tensor.declaration)
    try writer.beginRecord(
      .tensor, parts: [PartDeclaration(tensor: id, range: 0..<4, layout: try tensor.layout(0..<4))])
    #expect(throws: BaleWriterError.recordIncomplete) { try writer.endRecord() }
  }

  @Test func partsFitTheTensorAndCoverIt() throws {
    let id = try writer.declare(tensor.declaration)
    let layout = try tensor.layout(0..<2)
    #expect(throws: BaleWriterError.layout("t")) {
      try writer.beginRecord(.tensor, parts: [PartDeclaration(tensor: id, range: 0..<4, layout: layout)])
    }
    #expect(throws: BaleWriterError.parts("t")) {
      try writer.beginRecord(.tensor, parts: [PartDeclaration(tensor: id, range: 3..<5, layout: layout)])
    }
    try SampleFile.write(.tensor, [(tensor, id, 0..<2)], to: writer)
    #expect(throws: BaleWriterError.parts("t")) { try writer.commit() }
  }

  @Test func chunksHaveTheLengthOfTheirSpan() throws {
    let layout = try tensor.layout(0..<4)
    #expect(throws: BaleWriterError.chunkLength(plane: .codes, index: 0, expected: 64, found: 63)) {
      try layout.chunk(plane: 0, index: 0, bytes: [UInt8](repeating: 0, count: 63))
    }
    #expect(throws: BaleWriterError.chunkIndex(plane: .codes, index: 1)) {
      try layout.chunk(plane: 0, index: 1, bytes: [])
    }
  }

  @Test func spansFollowTheCodec() throws {
    #expect(throws: BaleWriterError.spanAlignment(span: 24, alignment: 16)) {
      try PartLayout(codec: TestCodec(), elements: 64, columns: 64, spanElements: 24)
    }
    #expect(throws: BaleWriterError.chunkTooLarge(bytes: 1 << 27)) {
      try PartLayout(codec: PlainCodec(.u8), elements: 1 << 27, columns: 64, spanElements: 1 << 27)
    }
    let layout = try PartLayout(codec: TestCodec(), elements: 3 << 20, columns: 64)
    #expect(layout.spanElements == 1 << 20 && layout.spanCount == 3)
  }

  @Test func compressionNeedsACompressor() throws {
    let layout = try PartLayout(codec: PlainCodec(.u8), elements: 16, columns: 16, compressed: [0])
    #expect(throws: BaleWriterError.needsCompressor) {
      try layout.chunk(plane: 0, index: 0, bytes: [UInt8](repeating: 0, count: 16))
    }
  }

  @Test func originalFilesAreWhole() throws {
    let digest = [UInt8](repeating: 0, count: 32)
    #expect(throws: BaleWriterError.fileName("../x")) {
      try writer.addFile(name: "../x", size: 0, sha256: digest, segments: [])
    }
    #expect(throws: BaleWriterError.fileSize("x", segments: 3, size: 4)) {
      try writer.addFile(name: "x", size: 4, sha256: digest, segments: [.zeros(3)])
    }
    try writer.addFile(name: "x", size: 3, sha256: digest, segments: [.zeros(3)])
    #expect(throws: BaleWriterError.duplicateFile("x")) {
      try writer.addFile(name: "x", size: 3, sha256: digest, segments: [.zeros(3)])
    }
  }

  @Test func errorStatisticsAreNumbers() throws {
    let id = try writer.declare(tensor.declaration)
    #expect(throws: BaleWriterError.errorStatistic("t")) { try writer.setError(id, relativeMSE: .nan, maximum: 0) }
    #expect(throws: BaleWriterError.errorStatistic("t")) { try writer.setError(id, relativeMSE: 0, maximum: -1) }
  }

  @Test func digestsAreThereIfPromised() throws {
    var options = BaleWriter.Options()
    options.sha256 = true
    let writer = try BaleWriter(directory.file("b.bale"), options: options)
    let id = try writer.declare(tensor.declaration)
    #expect(throws: BaleWriterError.needsSHA256) {
      try SampleFile.write(.tensor, [(tensor, id, 0..<4)], to: writer, sha256: false)
    }
  }
}
