import ByteIO
import Tensors

/// Groups of a row, or of the same columns of some rows, as sums of vectors out of codebooks, times a scale a row or for
/// those rows (AQLM): read only. `additive:group=8,books=2,bits=8,scale=F16` (specs/codecs/additive.md).
public struct AdditiveCodec: Codec, Hashable {
  /// Columns of a vector.
  public let group: Int
  /// Rows of a vector, which share a scale: mostly 1.
  public let rows: Int
  /// Codebooks, each with a vector for every code.
  public let books: Int
  /// Bits of a code.
  public let bits: Int
  /// Type of the scales and of the codebooks.
  public let scale: ScalarFloat

  /// Throws `CodecError.descriptor` unless there are 1 to 64 columns and rows a vector, 1 to 16 codebooks and 1 to 16
  /// bits.
  public init(group: Int, rows: Int = 1, books: Int, bits: Int, scale: ScalarFloat) throws(CodecError) {
    self.group = group
    self.rows = rows
    self.books = books
    self.bits = bits
    self.scale = scale
    guard (1...64).contains(group), (1...64).contains(rows), (1...16).contains(books), (1...16).contains(bits) else {
      throw .descriptor(
        "\(descriptor)", reason: "vectors have 1 to 64 columns and rows, codes 1 to 16 bits, of 1 to 16 books")
    }
  }

  init(_ reader: inout DescriptorReader) throws(CodecError) {
    let group = try reader.integer("group", default: 8, in: 1...64)
    let rows = try reader.integer("rows", default: 1, in: 1...64)
    let books = try reader.integer("books", default: 1, in: 1...16)
    let bits = try reader.integer("bits", default: 16, in: 1...16)
    let scale = try reader.choice("scale", default: ScalarFloat.f16)
    try self.init(group: group, rows: rows, books: books, bits: bits, scale: scale)
  }

  public var descriptor: CodecDescriptor {
    var descriptor = CodecDescriptor(
      "additive", ["group": "\(group)", "books": "\(books)", "bits": "\(bits)", "scale": scale.rawValue])
    if rows != 1 { descriptor.parameters.append(.init(key: "rows", value: "\(rows)")) }
    return descriptor
  }

  /// Elements of a vector.
  var area: Int { group * rows }

  public var planes: [Plane] { [Plane(.codes), Plane(.scales), Plane(.table, .whole)] }

  public func alignment(columns: Int) -> Int { min(max(columns, 1).multiplied(by: rows) ?? .max, 1 << 58) }

  public func check(_ shape: Shape) throws(CodecError) {
    try checkCountable(shape)
    guard shape.columns % group == 0, shape.rows % rows == 0, shape.elements / group <= Int.max / (books * 2) else {
      throw .shape(
        codec: "\(descriptor)", shape: shape.dimensions, reason: "it should be whole vectors of \(rows) by \(group)")
    }
  }

  /// Bytes of a code.
  var codeBytes: Int { bits > 8 ? 2 : 1 }

  public func bytes(plane: Int, elements: Int, columns: Int) -> Int {
    switch planes[plane].role {
    case .codes: elements / area * books * codeBytes
    case .scales: columns == 0 ? 0 : elements / columns / rows * scale.bytes
    default: books * (1 << bits) * area * scale.bytes
    }
  }

  public func decodeReference(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    try checkPlanes(input, room: output.count)
    for element in 0..<input.elements {
      let (row, column) = (element / input.columns, element % input.columns)
      let vector = row / rows * (input.columns / group) + column / group
      var sum: Float = 0
      for book in 0..<books {
        let code = code(vector * books + book, in: input.planes[0])
        sum += self.scale.load(input.planes[2], (book << bits + code) * area + row % rows * group + column % group)
      }
      output[element] = sum * scale.load(input.planes[1], row / rows)
    }
  }

  public func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    try checkPlanes(input, room: output.count)
    guard input.columns > 0, let values = output.baseAddress else { return }
    let table = (0..<books * (1 << bits) * area).map { scale.load(input.planes[2], $0) }
    let across = input.columns / group
    table.withUnsafeBufferPointer { table in
      for vector in 0..<input.elements / area {
        let band = vector / across
        let scale = scale.load(input.planes[1], band)
        let corner = values + band * rows * input.columns + vector % across * group
        for row in 0..<rows {
          let target = corner + row * input.columns
          target.initialize(repeating: 0, count: group)
          for book in 0..<books {
            let code = code(vector * books + book, in: input.planes[0])
            let first = (book << bits + code) * area + row * group
            for element in 0..<group { target[element] += table[first + element] }
          }
          for element in 0..<group { target[element] *= scale }
        }
      }
    }
  }

  /// A code; a signed one that is negative stands for the same bits without a sign.
  @inline(__always)
  private func code(_ index: Int, in plane: UnsafeRawBufferPointer) -> Int {
    let code =
      codeBytes == 1
      ? Int(plane[index])
      : Int(UInt16(littleEndian: plane.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)))
    return code & (1 << bits - 1)
  }
}
