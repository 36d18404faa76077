import CKernels
import Tensors
import TestSupport
import Testing

@testable import Codecs

@Suite struct SpQRDenseTests {
  @Test func aTileTakes84Or116Or148Bytes() throws {
    for (bits, bytes) in [(2, 84), (3, 116), (4, 148)] {
      let codec = try BilevelCodec(bits: bits)
      #expect((0..<3).map { codec.bytes(plane: $0, elements: 256, columns: 16) } == [32 * bits, 12, 8])
      #expect((0..<3).reduce(0) { $0 + codec.bytes(plane: $1, elements: 256, columns: 16) } == bytes)
    }
  }

  @Test func theDenseStreamIsNinePercentSmallerThanThePublishedOne() throws {
    let codec = try BilevelCodec(bits: 3)
    let elements = 4096 * 4096
    let ours = (0..<3).reduce(0) { $0 + codec.bytes(plane: $1, elements: elements, columns: 4096) }
    let published = elements / 2
    #expect(Double(ours) <= 0.91 * Double(published))
  }

  @Test func descriptorsAreCanonical() throws {
    let short = try CodecRegistry.codec("bilevel:bits=4")
    #expect("\(short.descriptor)" == "bilevel:bits=4,rows=16,columns=16,stats=3,arithmetic=F32")
    let full = try CodecRegistry.codec("spqr:bits=2,rows=8,columns=32,stats=4,arithmetic=f16,outliers=bf16")
    #expect(
      "\(full.descriptor)"
        == "spqr:bits=2,rows=8,columns=32,stats=4,arithmetic=F16,outliers=BF16,combine=replace,index=smallest,order=tensor"
    )
    #expect(try CodecRegistry.codec(full.descriptor).descriptor == full.descriptor)
    #expect(throws: CodecError.self) { try CodecRegistry.codec("bilevel:bits=5") }
    #expect(throws: CodecError.self) { try CodecRegistry.codec("spqr:outliers=F32") }
  }

  /// Every code under every scale code and zero code, both arithmetics: the kernel, its portable form and the
  /// reference give the same bits.
  @Test(arguments: [2, 3, 4], BilevelCodec.Arithmetic.allCases)
  func kernelsEqualTheReference(bits: Int, arithmetic: BilevelCodec.Arithmetic) throws {
    let codec = try BilevelCodec(bits: bits, arithmetic: arithmetic)
    var random = SplitMix64(seed: 11)
    for (rows, columns) in [(1, 1), (1, 15), (3, 17), (16, 16), (17, 31), (33, 1040), (32, 1100), (5, 8)] {
      let planes = random.bilevelPlanes(codec, rows: rows, columns: columns)
      let reference = try codec.bitPatterns(planes, rows: rows, columns: columns, reference: true)
      #expect(try codec.bitPatterns(planes, rows: rows, columns: columns) == reference)
      #expect(portable(codec, planes, rows: rows, columns: columns) == reference)
    }
  }

  /// The same for wider and taller tiles, whose rows of tiles end in the middle of one.
  @Test(arguments: [2, 3, 4], [(32, 16), (16, 32), (48, 80), (128, 64)])
  func kernelsEqualTheReferenceInWiderTiles(bits: Int, tile: (Int, Int)) throws {
    var random = SplitMix64(seed: 14)
    for arithmetic in BilevelCodec.Arithmetic.allCases {
      let codec = try BilevelCodec(bits: bits, tileRows: tile.0, tileColumns: tile.1, arithmetic: arithmetic)
      #expect(codec.hasKernel)
      for (rows, columns) in [(1, 1), (31, 33), (100, 97), (130, 1100), (128, 64), (17, 5000)] {
        let planes = random.bilevelPlanes(codec, rows: rows, columns: columns)
        let reference = try codec.bitPatterns(planes, rows: rows, columns: columns, reference: true)
        #expect(try codec.bitPatterns(planes, rows: rows, columns: columns) == reference)
        #expect(portable(codec, planes, rows: rows, columns: columns) == reference)
      }
    }
  }

  private func portable(_ codec: BilevelCodec, _ planes: [[UInt8]], rows: Int, columns: Int) -> [UInt32] {
    var output = [Float](repeating: 0, count: rows * columns)
    let across = codec.tilesAcross(columns: columns)
    var tiles = codec.kernelTiles
    for top in stride(from: 0, to: rows, by: codec.tileRows) {
      let tile = top / codec.tileRows * across
      let parts = planes.indices.map { Array(planes[$0].dropFirst(tile * codec.tileBytes[$0])) }
      output.withUnsafeMutableBufferPointer {
        bale_bilevel_decode_portable(
          &tiles, parts[0], parts[1], parts[2], Int32(codec.bits), codec.arithmetic == .f16 ? 1 : 0,
          min(codec.tileRows, rows - top),
          columns, $0.baseAddress?.advanced(by: top * columns))
      }
    }
    return output.map(\.bitPattern)
  }

  /// Subnormal, huge and zero statistics: the last rounds to infinity in half precision.
  @Test(arguments: [2, 3, 4]) func kernelsEqualTheReferenceAtTheEdges(bits: Int) throws {
    let codec = try BilevelCodec(bits: bits, arithmetic: .f16)
    let edges: [UInt16] = [0, 0x8000, 1, 0x8001, 0x03FF, 0x0400, 0x3C00, 0xBC00, 0x7BFF, 0xFBFF, 0x4500, 0x1400]
    var random = SplitMix64(seed: 12)
    let columns = 16 * edges.count
    var planes = random.bilevelPlanes(codec, rows: 16 * edges.count, columns: columns)
    for (tile, offset) in stride(from: 0, to: planes[2].count, by: 8).enumerated() {
      for (slot, pick) in [tile % 12, tile / 12, (tile / 5) % 12, (tile / 7) % 12].enumerated() {
        planes[2][offset + 2 * slot] = UInt8(edges[pick] & 0xFF)
        planes[2][offset + 2 * slot + 1] = UInt8(edges[pick] >> 8)
      }
    }
    let reference = try codec.values(planes, rows: columns, columns: columns, reference: true)
    let fast = try codec.values(planes, rows: columns, columns: columns)
    #expect(zip(fast, reference).allSatisfy { $0.bitPattern == $1.bitPattern || ($0.isNaN && $1.isNaN) })
    let plain = portable(codec, planes, rows: columns, columns: columns).map(Float.init(bitPattern:))
    #expect(zip(plain, reference).allSatisfy { $0.bitPattern == $1.bitPattern || ($0.isNaN && $1.isNaN) })
  }

  @Test func packUndoesUnpack() throws {
    var random = SplitMix64(seed: 13)
    for (rows, columns, codec) in [
      (16, 16, try BilevelCodec(bits: 3)), (32, 48, try BilevelCodec(bits: 2)),
      (24, 21, try BilevelCodec(bits: 4, tileRows: 8, tileColumns: 7, statisticBits: 5)),
      (9, 10, try BilevelCodec(bits: 3, tileRows: 3, tileColumns: 5, statisticBits: 8)),
    ] {
      let planes = random.bilevelPlanes(codec, rows: rows, columns: columns)
      let matrix = try withSpan(planes, elements: rows * columns, columns: columns) { try codec.unpack($0) }
      let packed = try codec.pack(matrix)
      #expect(packed[2] == planes[2])
      #expect(
        try codec.bitPatterns(packed, rows: rows, columns: columns)
          == codec.bitPatterns(planes, rows: rows, columns: columns, reference: true))
      let again = try withSpan(packed, elements: rows * columns, columns: columns) { try codec.unpack($0) }
      #expect(again == matrix)
    }
  }

  @Test func packRefusesWhatDoesNotFit() throws {
    let codec = try BilevelCodec(bits: 2)
    var matrix = BilevelMatrix(rows: 4, columns: 4, codec: codec)
    matrix.codes[3] = 4
    #expect(throws: CodecError.self) { try codec.pack(matrix) }
    matrix.codes[3] = 3
    matrix.zeroCodes[0] = 8
    #expect(throws: CodecError.self) { try codec.pack(matrix) }
    matrix.zeroCodes = []
    #expect(throws: CodecError.self) { try codec.pack(matrix) }
  }

  @Test func badSpansAreRefused() throws {
    let codec = try BilevelCodec(bits: 3)
    var planes = (0..<3).map { [UInt8](repeating: 0, count: codec.bytes(plane: $0, elements: 256, columns: 16)) }
    planes[2][3] = 0x7C
    #expect(
      throws: CodecError.value(
        codec: "bilevel", plane: .secondLevel, offset: 2, reason: "a statistic is infinite or not a number")
    ) { try codec.values(planes, rows: 16, columns: 16) }
    planes[2][3] = 0
    planes[1].removeLast()
    #expect(throws: CodecError.planeSize(codec: "\(codec.descriptor)", plane: .scales, expected: 12, found: 11)) {
      try codec.values(planes, rows: 16, columns: 16)
    }
  }

  @Test func hugeShapesAreRefused() throws {
    let codec = try BilevelCodec(bits: 3)
    let shape = try #require(Shape([Int.max / 2, 2]))
    #expect(throws: CodecError.self) { try codec.check(shape) }
    try codec.check(try #require(Shape([70000, 70000])))
    #expect(codec.bytes(plane: 0, elements: 0, columns: 0) == 0)
  }
}
