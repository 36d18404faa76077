import ByteIO
import Codecs

/// The codes of AWQ's GEMV_FAST: rows are taken four at a time and columns 64 at a time, and in the 16-bit words of such
/// a tile the 4-bit codes lie in the order that the kernel takes them.
public struct TiledNibbles: Sendable, Hashable {
  public var rows: Int
  public var columns: Int

  /// Throws `CodecError.descriptor` unless there are whole tiles.
  public init(rows: Int, columns: Int) throws(CodecError) {
    self.rows = rows
    self.columns = columns
    guard (0...1 << 31).contains(rows), (0...1 << 31).contains(columns), rows % 4 == 0, columns % 64 == 0 else {
      throw .descriptor("tiled:rows=\(rows),columns=\(columns)", reason: "a tile has 4 rows and 64 columns")
    }
  }

  init(_ reader: inout DescriptorReader) throws(CodecError) {
    let rows = try reader.integer("rows", default: 0, in: 0...1 << 31)
    try self.init(rows: rows, columns: try reader.integer("columns", default: 0, in: 0...1 << 31))
  }

  var parameters: [CodecDescriptor.Parameter] {
    CodecDescriptor("tiled", ["rows": "\(rows)", "columns": "\(columns)"]).parameters
  }

  var bytes: Int { rows * columns / 2 }

  /// Bytes of four rows, in the plane and stored.
  private var bandBytes: Int { columns * 2 }

  /// The column within 32 whose code is the one with this index among 32 stored.
  private static let order: [Int] = {
    // Four groups of eight go to [4][4][2] -> transposed; within eight, even columns come first.
    let transposed = (0..<32).map { index in index / 8 * 2 + index % 8 / 2 * 8 + index % 2 }
    let withinEight = [0, 2, 4, 6, 1, 3, 5, 7]
    return transposed.indices.map { index in
      let place = index / 8 * 8 + (withinEight[index % 8])
      return transposed[place]
    }
  }()

  func readPlane(
    at offset: Int, into target: UnsafeMutableRawBufferPointer, from stored: some ByteRanges
  ) throws {
    try byBands(at: offset, into: target, from: stored) { input, output in
      eachCode { storedIndex, planeIndex in
        FieldBits.store(FieldBits.load(input, storedIndex, bits: 4), output, planeIndex, bits: 4)
      }
    }
  }

  func restore(
    at offset: Int, into target: UnsafeMutableRawBufferPointer, from plane: some ByteRanges
  ) throws {
    try byBands(at: offset, into: target, from: plane) { input, output in
      eachCode { storedIndex, planeIndex in
        FieldBits.store(FieldBits.load(input, planeIndex, bits: 4), output, storedIndex, bits: 4)
      }
    }
  }

  /// The codes of four rows: where each is stored, and where it belongs in the plane.
  private func eachCode(_ body: (_ stored: Int, _ plane: Int) -> Void) {
    for tile in 0..<columns / 64 {
      for row in 0..<4 {
        for index in 0..<64 {
          let column = tile * 64 + index / 32 * 32 + Self.order[index % 32]
          body(tile * 256 + row * 64 + index, row * columns + column)
        }
      }
    }
  }

  private func byBands(
    at offset: Int, into target: UnsafeMutableRawBufferPointer, from source: some ByteRanges,
    _ convert: (UnsafePointer<UInt8>, UnsafeMutablePointer<UInt8>) -> Void
  ) throws {
    guard !target.isEmpty else { return }
    let bands = offset / bandBytes..<(offset + target.count).dividedRoundingUp(by: bandBytes)
    let input = try source.buffer(bands.lowerBound * bandBytes..<bands.upperBound * bandBytes)
    let output = ByteBuffer(count: input.count)
    input.withBytes { input in
      output.withMutableBytes { output in
        let zeroed = output.initializeMemory(as: UInt8.self, repeating: 0)
        guard let from = input.baseAddress?.assumingMemoryBound(to: UInt8.self), let to = zeroed.baseAddress else {
          return
        }
        for start in stride(from: 0, to: input.count, by: bandBytes) { convert(from + start, to + start) }
        let skipped = offset - bands.lowerBound * bandBytes
        target.copyMemory(from: UnsafeRawBufferPointer(rebasing: output[skipped..<skipped + target.count]))
      }
    }
  }
}
