import ByteIO
import CKernels

/// The bytes of one unit of `trellis`: U32 byte count of what follows, eight U32 states, then U16 words, all
/// little-endian. Element `i` of the unit belongs to state `i` mod 8.
struct TrellisUnit {
  /// States and words.
  let bytes: UnsafeRawBufferPointer
  /// Offset in the plane of the unit's count, and of what follows the unit.
  let start: Int
  let end: Int

  static let lanes = 8
  static let overhead = 4 + lanes * 4
  /// States stay in 2^16 ..< 2^32; the encoder starts each at 2^16, and there the decoder must arrive.
  static let lowest: UInt32 = 1 << 16

  /// Throws `CodecError` if the unit doesn't fit the plane.
  init(_ plane: UnsafeRawBufferPointer, offset: Int) throws(CodecError) {
    guard plane.count - offset >= Self.overhead else {
      throw .planeSize(codec: "trellis", plane: .codes, expected: offset + Self.overhead, found: plane.count)
    }
    let count = Int(UInt32(littleEndian: plane.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
    guard count >= Self.lanes * 4, count % 2 == 0, count <= plane.count - offset - 4 else {
      throw .value(
        codec: "trellis", plane: .codes, offset: offset, reason: "a unit of \(count) bytes in a plane of \(plane.count)"
      )
    }
    start = offset
    end = offset + 4 + count
    bytes = UnsafeRawBufferPointer(rebasing: plane[offset + 4..<end])
  }

  /// Decodes by the kernel.
  func decode(
    _ table: TrellisTable, rows: Int, columns: Int, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    let contexts = TrellisContexts(table)
    let steps = (0..<columns).map { table.columnStep($0) }
    let classes = (0..<columns).map { UInt8(table.columnClass($0)) }
    var states = [UInt8](repeating: 0, count: columns)
    let result = bale_trellis_decode(
      bytes.baseAddress, bytes.count, contexts.symbols, contexts.bounds, classes, steps, &states, rows, columns,
      output.baseAddress)
    guard result == 0 else { throw wordsFault }
  }

  /// Decodes element by element as the spec says it.
  func decodeReference(
    _ table: TrellisTable, rows: Int, columns: Int, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    var reader = TrellisReader(bytes)
    let contexts = TrellisContexts(table)
    var states = [UInt8](repeating: 0, count: columns)
    for row in 0..<rows {
      for column in 0..<columns {
        let state = Int(states[column])
        let element = row * columns + column
        guard let code = reader.code(element, contexts, context: 2 * table.columnClass(column) + state & 1) else {
          throw wordsFault
        }
        output[element] = Float(Trellis.multiple(code, state: state)) * table.columnStep(column)
        states[column] = Trellis.next[2 * state + code & 1]
      }
    }
    guard reader.isAtEnd else { throw wordsFault }
  }

  private var wordsFault: CodecError {
    .value(
      codec: "trellis", plane: .codes, offset: start, reason: "the codes of the unit don't end where its bytes do")
  }
}

/// Frequencies in the form that decoding needs them in.
struct TrellisContexts {
  /// Symbol of each of 4096 slots, context after context.
  private(set) var symbols: [UInt8] = []
  /// First slot of each of 32 symbols, context after context; the end of the last is that of the context.
  private(set) var bounds: [UInt16] = []

  init(_ table: TrellisTable) {
    for model in table.models {
      var first = 0
      for (symbol, frequency) in model.frequencies.enumerated() {
        symbols.append(contentsOf: repeatElement(UInt8(symbol), count: frequency))
        bounds.append(UInt16(first))
        first += frequency
      }
      while bounds.count % 32 != 0 { bounds.append(UInt16(TrellisModel.total)) }
    }
  }
}

/// The plain rANS decoder.
struct TrellisReader {
  private let bytes: UnsafeRawBufferPointer
  private var states: [UInt32]
  private var offset = TrellisUnit.lanes * 4

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    states = (0..<TrellisUnit.lanes).map {
      UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self))
    }
  }

  /// True when all words are taken and every state is where the encoder started.
  var isAtEnd: Bool { offset == bytes.count && states.allSatisfy { $0 == TrellisUnit.lowest } }

  /// The next code, from the state that `element` belongs to; nil where the words have run out.
  mutating func code(_ element: Int, _ contexts: TrellisContexts, context: Int) -> Int? {
    let lane = element % TrellisUnit.lanes
    let slot = states[lane] & 4095
    let symbol = Int(contexts.symbols[context * 4096 + Int(slot)])
    let first = UInt32(contexts.bounds[context * 32 + symbol])
    let end = UInt32(contexts.bounds[context * 32 + symbol + 1])
    guard advance(lane, first: first, frequency: end - first) else { return nil }
    var magnitude = (symbol + 1) / 2
    if magnitude == TrellisModel.escape {
      let excess = states[lane] & 4095
      guard advance(lane, first: excess, frequency: 1) else { return nil }
      magnitude += Int(excess)
    }
    return symbol % 2 == 1 ? magnitude : -magnitude
  }

  private mutating func advance(_ lane: Int, first: UInt32, frequency: UInt32) -> Bool {
    let state = states[lane]
    states[lane] = frequency &* (state >> 12) &+ (state & 4095) &- first
    guard states[lane] < TrellisUnit.lowest else { return true }
    guard offset < bytes.count else { return false }
    let word = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self))
    states[lane] = states[lane] << 16 | UInt32(word)
    offset += 2
    return true
  }
}
