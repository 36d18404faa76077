import BaleFormat
import ByteIO
import Codecs
import Compression
import Tensors
import TestSupport
import Testing

@Suite struct RoundTripTests {
  @Test(arguments: [false, true]) func everyPlaneOfEveryTensorComesBack(sha256: Bool) async throws {
    let file = try BaleFile(sources: [MemorySource(SampleFile.bytes(sha256: sha256))])
    #expect(file.hasSHA256 == sha256)
    #expect(file.tensorCount == 9)
    for tensor in SampleFile.plain + SampleFile.experts {
      let stored = try #require(file.tensor(named: tensor.name))
      #expect(stored.shape.dimensions == tensor.shape)
      #expect(stored.dtype == tensor.dtype)
      #expect(stored.encoding == tensor.codec.descriptor.description)
      #expect(stored.isLossless == (tensor.dtype != nil))
      try file.check(stored, against: tensor.codec)
      for part in stored.parts {
        let layout = try tensor.layout(part.range)
        #expect(part.elements == layout.elements && part.spanElements == layout.spanElements)
        #expect(part.spanCount == layout.spanCount)
        for plane in layout.planes.indices {
          for chunk in 0..<layout.planes[plane].chunkCount {
            let expected = tensor.bytes(part: part.range.lowerBound, plane: plane, chunk: chunk, layout: layout)
            #expect(try file.readChunk(chunk, plane: plane, of: part) == expected)
          }
        }
      }
    }
    let report = try file.verify(threads: 3)
    #expect(report.damage.isEmpty)
    #expect(report.bytes == file.fileSizes[0].size)
  }

  @Test func namesAreSortedByBytesAndFoundBySearch() throws {
    let file = try BaleFile(sources: [MemorySource(SampleFile.bytes())])
    let names = file.tensors.map(\.name)
    let sorted = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    #expect(names == sorted)
    for (index, name) in names.enumerated() { #expect(file.index(named: name) == index) }
    for name in ["", "a", "norm ", "nor", "zzz"] { #expect(file.index(named: name) == nil) }
    let written = SampleFile.plain.map(\.name) + SampleFile.experts.map(\.name)
    #expect(file.storedOrder.map { file.tensor(at: $0).name } == written)
  }

  @Test func errorsOfLossyTensorsAreStored() throws {
    let file = try BaleFile(sources: [MemorySource(SampleFile.bytes())])
    #expect(file.tensor(named: "sparse")?.error?.relativeMSE == 0.0125)
    #expect(file.tensor(named: "sparse")?.error?.maximum == 0.5)
    #expect(file.tensor(named: "norm")?.error == nil)
  }

  @Test func anExpertIsOneAlignedReadWithCodesFirst() throws {
    let bytes = try SampleFile.bytes()
    let file = try BaleFile(sources: [MemorySource(bytes)])
    #expect(file.record(layer: 3, expert: 2) == nil)
    for expert in 0..<2 {
      let record = try #require(file.record(layer: 3, expert: expert))
      #expect(record.range.lowerBound % 16384 == 0 && record.range.count % 16384 == 0)
      #expect(record.parts.map(\.tensor) == SampleFile.experts.map(\.name))
      let content = try file.content(of: record, bytes: Array(bytes[record.range]))
      for (index, tensor) in SampleFile.experts.enumerated() {
        let layout = try tensor.layout(expert..<expert + 1)
        for plane in layout.planes.indices {
          let expected = (0..<layout.planes[plane].chunkCount).flatMap {
            tensor.bytes(part: expert, plane: plane, chunk: $0, layout: layout)
          }
          content.withPlane(plane, part: index) { #expect(Array($0) == expected) }
        }
      }
      // Gate's codes, up's codes, down's codes: 128 + 128 + 256 bytes at multiples of 128.
      #expect(
        Array(bytes[record.range.lowerBound..<record.range.lowerBound + 48])
          == SampleFile.experts[0].bytes(
            part: expert, plane: 0, chunk: 0, layout: try SampleFile.experts[0].layout(0..<1)))
      #expect(
        Array(bytes[record.range.lowerBound + 128..<record.range.lowerBound + 256])
          == SampleFile.experts[1].bytes(
            part: expert, plane: 0, chunk: 0, layout: try SampleFile.experts[1].layout(0..<1)))
    }
  }

  @Test func spansOfRowsAreFoundByArithmetic() throws {
    let file = try BaleFile(sources: [MemorySource(SampleFile.bytes())])
    let part = try #require(file.tensor(named: "sparse")?.parts.first)
    // Rows of 32 elements, spans of 48.
    #expect(part.spans(ofRows: 0..<1) == 0..<1)
    #expect(part.spans(ofRows: 1..<2) == 0..<2)
    #expect(part.spans(ofRows: 2..<3) == 1..<2)
    #expect(part.spans(ofRows: 0..<8) == 0..<6)
    #expect(part.spans(ofRows: 3..<3).isEmpty)
    let span = try file.readSpan(5, of: part)
    #expect(span.map(\.count) == [16, 2, 12, 2])
  }

  @Test func originalFilesSayWhereTheirBytesAre() throws {
    let file = try BaleFile(sources: [MemorySource(SampleFile.bytes())])
    let originals = file.originals
    #expect(originals.map(\.name) == ["config/a.json", "model.safetensors"])
    #expect(originals.map(\.size) == [103, 232])
    var restored: [UInt8] = []
    for segment in originals[0].segments {
      switch segment.source {
      case .blob(let blob):
        try file.readBlob(blob, segment.offset..<segment.offset + segment.count) { restored += $0 }
      case .zeros: restored += [UInt8](repeating: 0, count: segment.count)
      default: Issue.record("an unexpected segment")
      }
    }
    #expect(SHA256.digest(restored) == originals[0].sha256)
    guard case .tensor(let name) = originals[1].segments[1].source else {
      Issue.record("the second segment should be a tensor's bytes")
      return
    }
    #expect(name == "norm")
    #expect(file.metadata == Array("{}".utf8))
  }

  @Test func theSameCallsGiveTheSameBytes() throws {
    #expect(try SampleFile.bytes() == SampleFile.bytes())
  }

  @Test func aBlobOfSeveralMegabytesIsReadInPieces() throws {
    let directory = try TemporaryDirectory()
    let bytes = (0..<(5 << 19) + 77).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
    let zstd = { (bytes: UnsafeRawBufferPointer) in try ZstdCompressor().compress(bytes, .level(3)) }
    for compress in [nil, zstd] as [((UnsafeRawBufferPointer) throws -> [UInt8])?] {
      var options = BaleWriter.Options()
      options.overwrite = true
      let writer = try BaleWriter(directory.file("blob.bale"), options: options)
      let blob = try writer.addBlob(bytes, compress: compress)
      try writer.addFile(
        name: "b", size: bytes.count, sha256: SHA256.digest(bytes), segments: [.blob(blob, 0..<bytes.count)])
      _ = try writer.commit()
      let file = try BaleFile(directory.file("blob.bale"))
      guard case .blob(let found) = file.originals[0].segments[0].source else { return }
      for range in [0..<bytes.count, 0..<1, 1_048_575..<1_048_577, 2_000_000..<bytes.count, 5..<5] {
        var read: [UInt8] = []
        try file.readBlob(found, range) { read += $0 }
        #expect(read == Array(bytes[range]))
      }
    }
  }
}
