import BaleFormat
import ByteIO
import Codecs
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

enum Python {
  static let isAvailable = system("python3 -c 'import numpy, zstandard' 2>/dev/null") == 0
}

/// specs/reader/bale_reader.py, written from the specs alone, against the Swift reader.
@Suite(.enabled(if: Python.isAvailable, "python3 with numpy and zstandard is not installed"))
struct PythonReaderTests {
  static let folder = Fixtures.root + "/specs/reader"

  /// Runs a program with the reader imported; true if it succeeds. Nothing here has a quote in it.
  private func run(_ program: String) -> Bool {
    system("cd '\(Self.folder)' && python3 -B -c '\(program)' 2>/dev/null >/dev/null") == 0
  }

  @Test(arguments: EncodingSamples.files.keys.sorted()) func everyEncodingDecodesToTheSameBits(name: String) throws {
    let path = GoldenFileTests.folder + "/\(name).bale"
    try check(path)
    #expect(try BaleFile(path).tensorCount == EncodingSamples.files[name]?.count)
  }

  @Test(arguments: EncodedSamples.encodings) func everyPackedEncodingDecodesToTheSameBits(
    encoding: String, shape: [Int]
  ) throws {
    let directory = try TemporaryDirectory()
    let path = directory.file("sample.bale")
    try EncodedSamples.write(encoding, shape, to: path)
    try check(path)
  }

  /// Both readers find the same values in all tensors of a file.
  private func check(_ path: String) throws {
    let directory = try TemporaryDirectory()
    let program = """
      import bale_reader, numpy as np
      b = bale_reader.BaleFile("\(path)")
      for i, name in enumerate(b.tensors): b.values(name).astype("<f4").tofile("\(directory.path)/%d" % i)
      """
    try #require(run(program))
    let file = try BaleFile(path)
    for (index, tensor) in file.tensors.enumerated() {
      let expected = try decode(tensor, in: file)
      let found = try Fixtures.bytes(directory.file("\(index)")).withUnsafeBytes {
        Array($0.bindMemory(to: Float.self))
      }
      let isSame = zip(expected, found).allSatisfy { $0.bitPattern == $1.bitPattern || $0.isNaN && $1.isNaN }
      #expect(expected.count == found.count && isSame, "\(tensor.name)")
    }
  }

  private func decode(_ tensor: BaleTensor, in file: BaleFile) throws -> [Float] {
    let codec = try CodecRegistry.codec(tensor.encoding)
    try file.check(tensor, against: codec)
    let reference = try (codec as? ResidualCodec)?.reference.map { name in
      try decode(try #require(file.tensors.first { $0.name == name }), in: file)
    }
    var values: [Float] = []
    for part in tensor.parts {
      for span in 0..<part.spanCount {
        let planes = try file.readSpan(span, of: part)
        var output = [Float](repeating: 0, count: part.elements(inSpan: span))
        try output.withUnsafeMutableBufferPointer { output in
          try Self.lend(planes[...], []) { lent in
            let input = EncodedSpan(planes: lent, elements: output.count, columns: part.columns)
            guard let codec = codec as? ResidualCodec, let reference else {
              return try codec.decodeReference(input, into: output)
            }
            try reference.withUnsafeBufferPointer { try codec.decode(input, reference: $0, into: output) }
          }
        }
        values += output
      }
    }
    return values
  }

  private static func lend(
    _ planes: ArraySlice<[UInt8]>, _ lent: [UnsafeRawBufferPointer], _ body: ([UnsafeRawBufferPointer]) throws -> Void
  ) throws {
    guard let first = planes.first else { return try body(lent) }
    try first.withUnsafeBytes { try lend(planes.dropFirst(), lent + [$0], body) }
  }

  @Test func itChecksTheGoldenFilesAndRefusesDamage() throws {
    let folder = GoldenFileTests.folder
    #expect(
      run(
        """
        import bale_reader
        for name in ["container", "sha256", "minimal", "set-00002-of-00003", "encodings"]:
          bale_reader.BaleFile("\(folder)/v1-%s.bale" % name).check()
        """))
    let directory = try TemporaryDirectory()
    for (name, offset) in [("body", 200), ("directory", 5000)] {
      var bytes = try Fixtures.bytes(folder + "/v1-sha256.bale")
      bytes[offset] ^= 1
      let path = try directory.write(bytes, to: name)
      #expect(!run("import bale_reader; bale_reader.BaleFile(\"\(path)\").check()"), "\(name)")
    }
  }

  @Test func itReadsPlanesAndSetsAsTheSwiftReaderDoes() throws {
    let directory = try TemporaryDirectory()
    #expect(
      run(
        """
        import bale_reader
        b = bale_reader.BaleFile("\(GoldenFileTests.folder)/v1-set-00003-of-00003.bale")
        with open("\(directory.path)/planes", "wb") as out:
          for name in sorted(b.tensors, key=lambda n: n.encode()):
            for elements, columns, roles, data in b.tensors[name].spans():
              for plane in data: out.write(plane)
        """))
    let file = try BaleFile(GoldenFileTests.folder + "/v1-set-00001-of-00003.bale")
    var expected: [UInt8] = []
    for tensor in file.tensors {
      for part in tensor.parts {
        for span in 0..<part.spanCount { for plane in try file.readSpan(span, of: part) { expected += plane } }
      }
    }
    #expect(try Fixtures.bytes(directory.file("planes")) == expected)
  }
}
