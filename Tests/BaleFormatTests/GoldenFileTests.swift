import BaleFormat
import ByteIO
import Codecs
import Tensors
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Files of version 1 as they were first written: the reader must read them for ever, and a writer of version 1 must
/// write them again byte for byte. `BALE_RECORD=1` writes those that are not there.
@Suite struct GoldenFileTests {
  static let folder = Fixtures.samples + "/good/bale"

  private func check(_ name: String, _ bytes: [UInt8]) throws {
    let path = Self.folder + "/" + name
    if getenv("BALE_RECORD") != nil, !Path.exists(path) {
      let output = try OutputFile(path)
      try output.write(bytes, at: 0)
      try output.commit(length: bytes.count)
    }
    #expect(try Fixtures.bytes(path) == bytes)
  }

  @Test func theContainerIsAsItWas() throws {
    try check("v1-container.bale", try SampleFile.bytes())
    try check("v1-sha256.bale", try SampleFile.bytes(withExperts: false, sha256: true))
  }

  /// The file of the worked example: a tensor `w` of four bytes.
  private func minimal() throws -> [UInt8] {
    let directory = try TemporaryDirectory()
    let writer = try BaleWriter(directory.file("m.bale"))
    let codec = PlainCodec(.u8)
    let shape = try #require(Shape([2, 2]))
    let tensor = try writer.declare(
      TensorDeclaration(
        name: "w", dtype: .u8, shape: shape, encoding: codec.descriptor.description, isLossless: true))
    let layout = try PartLayout(codec: codec, elements: 4, columns: 2)
    try writer.beginRecord(.tensor, parts: [PartDeclaration(tensor: tensor, range: 0..<2, layout: layout)])
    try writer.append(try layout.chunk(plane: 0, index: 0, bytes: [1, 2, 3, 4]), part: 0)
    try writer.endRecord()
    return try Fixtures.bytes(try writer.commit()[0].path)
  }

  /// Lines of specs/bale.md of the form `0000: 89 42 ...`.
  private func printedBytes() throws -> [Int: [UInt8]] {
    let text = String(decoding: try Fixtures.bytes(Fixtures.root + "/specs/bale.md"), as: UTF8.self)
    var lines: [Int: [UInt8]] = [:]
    for line in text.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":"), let offset = Int(line[..<colon], radix: 16) else { continue }
      let fields = line[line.index(after: colon)...].split(separator: "|")[0].split(separator: " ")
      let bytes = fields.compactMap { UInt8($0, radix: 16) }
      if bytes.count == fields.count { lines[offset] = bytes }
    }
    return lines
  }

  @Test func theWorkedExampleOfTheSpecIsTheFile() throws {
    let bytes = try minimal()
    try check("v1-minimal.bale", bytes)
    var covered = 0
    for (offset, line) in try printedBytes() {
      #expect(Array(bytes[offset..<min(bytes.count, offset + line.count)]) == line)
      covered += line.count
    }
    #expect(covered == bytes.count)
  }

  @Test func theEncodingsAreAsTheyWere() throws {
    let directory = try TemporaryDirectory()
    for (name, samples) in EncodingSamples.files {
      let path = directory.file("\(name).bale")
      try EncodingSamples.write(samples, to: path)
      try check("\(name).bale", try Fixtures.bytes(path))
    }
  }

  @Test func theSetIsAsItWas() throws {
    for (index, bytes) in try SampleFile.setBytes().enumerated() {
      try check("v1-set-0000\(index + 1)-of-00003.bale", bytes)
    }
  }

  @Test func theSetOpensAndHolds() async throws {
    for number in 1...3 {
      let file = try BaleFile(Self.folder + "/v1-set-0000\(number)-of-00003.bale")
      #expect(file.tensorCount == 9)
      #expect(try file.verify().damage.isEmpty)
    }
  }

  /// The worked example of specs/bale.md, "A file, byte by byte": literal values of the stored file.
  @Test func theRootIsTheOnePrinted() throws {
    let file = try BaleFile(Self.folder + "/v1-container.bale")
    let root = "868d435131f20c7c7c1b468fa92bd863959d8b8f0e9b819261336421d6885175"
    #expect(file.roots.map { hexadecimal($0) } == [root])
    let norm = try #require(file.tensor(named: "norm")?.parts.first)
    #expect(hexadecimal(try file.readChunk(0, plane: 0, of: norm).prefix(8)) == "8a79e94a803f45c0")
  }
}
