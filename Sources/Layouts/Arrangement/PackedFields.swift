import ByteIO
import Codecs

/// A plane seen as `slices` matrices of `rows` x `columns` fields, row-major, each row starting on a byte; and the
/// stored tensor as words that hold those fields. The fields of a row (or of a column) are a vector; a packing says in
/// which bits of a vector's words each lies.
public struct PackedFields: Sendable, Hashable {
  /// Which fields make up a vector.
  public enum Axis: String, Sendable, CaseIterable {
    /// Those of a row: one after the other along the columns.
    case columns
    /// Those of a column: one after the other along the rows.
    case rows
  }

  /// What stored words follow one another.
  public enum Order: String, Sendable, CaseIterable {
    /// All words of a vector, then those of the next.
    case vectors
    /// The first words of all vectors, then the second words.
    case words
  }

  /// What is done to a stored field to make it the plane's.
  public enum Change: Sendable, Hashable {
    case none
    /// Exclusive or with a mask.
    case flip(UInt32)
    /// One more, modulo two to the width.
    case increment
    /// One more in every field, by one addition to the whole word: a carry runs into the next field.
    case carry
  }

  public var slices = 1
  public var rows: Int
  public var columns: Int
  /// Bits of a field in the plane: 1 to 8, 16 or 32.
  public var field: Int
  /// Bits of a field in a stored word, at most as many.
  public var bits: Int
  public var along: Axis
  public var order: Order
  public var packing: Packing
  /// Bits of a word: 8, 16 or 32.
  public var word: Int
  /// Words of a vector, with any padding.
  public var words: Int
  public var change: Change

  /// Throws `CodecError.descriptor` on numbers that don't fit one another or are too large to count with.
  public init(
    slices: Int = 1, rows: Int, columns: Int, field: Int, bits: Int? = nil, along: Axis = .columns,
    order: Order = .vectors, packing: Packing = .stream, word: Int, words: Int? = nil, change: Change = .none
  ) throws(CodecError) {
    self.slices = slices
    self.rows = rows
    self.columns = columns
    self.field = field
    self.bits = bits ?? field
    self.along = along
    self.order = order
    self.packing = packing
    self.word = word
    self.change = change
    self.words = 0
    let length = along == .columns ? columns : rows
    // A count that can't be made stays -1, which the check refuses.
    self.words = words ?? packing.words(fields: length, bits: self.bits, word: word) ?? -1
    try check()
  }

  /// A matrix of scalars that is stored turned: columns as rows.
  static func turned(_ type: ScalarFloat, rows: Int, columns: Int) throws(CodecError) -> PackedFields {
    try PackedFields(rows: rows, columns: columns, field: type.bytes * 8, along: .rows, word: type.bytes * 8)
  }

  private func check() throws(CodecError) {
    let counts = [slices, rows, columns, words]
    guard counts.allSatisfy({ (0...1 << 40).contains($0) }), [8, 16, 32].contains(word),
      (1...8).contains(field) || field == 16 || field == 32, (1...field).contains(bits), bits <= word,
      let fields = slices.multiplied(by: rows)?.multiplied(by: columns), fields <= 1 << 50,
      let total = slices.multiplied(by: vectors)?.multiplied(by: words), total <= 1 << 50
    else { throw refusal("its numbers don't fit one another") }
    guard packing.suits(bits: bits, word: word) else { throw refusal("\(bits) bits can't be packed so") }
    guard let needed = packing.words(fields: length, bits: bits, word: word), words >= needed else {
      throw refusal("\(length) fields need more than \(words) words")
    }
    guard change != .carry || word % bits == 0 else { throw refusal("a carry needs whole fields") }
  }

  private func refusal(_ reason: String) -> CodecError {
    .descriptor("\(CodecDescriptor("packed", parameters: parameters))", reason: reason)
  }

  /// Fields of a vector.
  var length: Int { along == .columns ? columns : rows }

  /// Vectors of a slice.
  var vectors: Int { along == .columns ? rows : columns }

  var wordBytes: Int { word / 8 }

  /// Bytes of a row of the plane.
  var rowBytes: Int { (columns * field).dividedRoundingUp(by: 8) }

  var planeBytes: Int { slices * rows * rowBytes }

  /// Words of a stored row.
  var storedRowWords: Int { order == .vectors ? words : vectors }

  /// Stored rows of a slice.
  var storedRows: Int { order == .vectors ? vectors : words }

  var storedBytes: Int { slices * vectors * words * wordBytes }

  /// True if a run of stored bytes is made of a run of rows.
  var isLocal: Bool { (along == .columns) == (order == .vectors) }

  var isBijective: Bool { length * bits == words * word && (columns * bits % 8 == 0 || bits == field) }

  /// What a carry adds to a word.
  var carry: UInt32 {
    guard change == .carry else { return 0 }
    return stride(from: 0, to: word, by: bits).reduce(0) { $0 | 1 << UInt32($1) }
  }
}

extension PackedFields {
  var parameters: [CodecDescriptor.Parameter] {
    CodecDescriptor(
      "packed",
      [
        "slices": "\(slices)", "rows": "\(rows)", "columns": "\(columns)", "field": "\(field)", "bits": "\(bits)",
        "along": along.rawValue, "order": order.rawValue, "pack": packing.rawValue, "word": "\(word)",
        "words": "\(words)", "change": changeName,
      ]
    ).parameters
  }

  private var changeName: String {
    switch change {
    case .none: "none"
    case .flip(let mask): "flip\(mask)"
    case .increment: "increment"
    case .carry: "carry"
    }
  }

  init(_ reader: inout DescriptorReader) throws(CodecError) {
    func count(_ key: String, _ reader: inout DescriptorReader) throws(CodecError) -> Int {
      try reader.integer(key, default: 1, in: 0...1 << 40)
    }
    let (slices, rows, columns) = (
      try count("slices", &reader), try count("rows", &reader), try count("columns", &reader)
    )
    let field = try reader.integer("field", default: 8, in: 1...32)
    let bits = try reader.integer("bits", default: field, in: 1...32)
    let along = try reader.choice("along", default: Axis.columns)
    let order = try reader.choice("order", default: Order.vectors)
    let packing = try reader.choice("pack", default: Packing.stream)
    let word = try reader.integer("word", default: 32, in: 8...32)
    let words = try count("words", &reader)
    try self.init(
      slices: slices, rows: rows, columns: columns, field: field, bits: bits, along: along, order: order,
      packing: packing, word: word, words: words, change: try Self.change(reader.text("change") ?? "none"))
  }

  private static func change(_ text: String) throws(CodecError) -> Change {
    switch text {
    case "none": return .none
    case "increment": return .increment
    case "carry": return .carry
    default:
      guard text.hasPrefix("flip"), let mask = UInt32(text.dropFirst(4)) else {
        throw .descriptor("change=\(text)", reason: "change should be none, flip and a mask, increment or carry")
      }
      return .flip(mask)
    }
  }
}
