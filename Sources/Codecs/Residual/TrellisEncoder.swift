import ByteIO

/// A tensor in `trellis` form before entropy coding: column-major codes and the steps they count in.
public struct TrellisCodes: Sendable {
  public let rows: Int
  public let columns: Int
  public var step: Float
  /// One a column, 0...15.
  public var exponents: [UInt8]
  public var classOffset: Int8
  /// Codes, column after column; their states start afresh with each unit.
  public var codes: [Int16]

  /// The values that the codes of a column stand for.
  public func values(column: Int) -> [Float] {
    var values: [Float] = []
    values.reserveCapacity(rows)
    eachValue(column: column) { values.append($0) }
    return values
  }

  /// Calls `body` with each value of a column, in turn.
  /// - Parameter rows: some of them, from the start of a unit on; nil: all.
  public func eachValue(column: Int, rows: Range<Int>? = nil, _ body: (Float) -> Void) {
    let step = TrellisEncoder.table(self, models: []).columnStep(column)
    TrellisEncoder.walk(self, column: column, rows: rows ?? 0..<self.rows) { code, state in
      body(Float(Trellis.multiple(code, state: state)) * step)
    }
  }

  /// All codes zero.
  public init(rows: Int, columns: Int, step: Float, exponents: [UInt8]) {
    self.rows = rows
    self.columns = columns
    self.step = step
    self.exponents = exponents
    classOffset = 0
    codes = [Int16](repeating: 0, count: rows * columns)
  }
}

/// Writes the planes of `trellis`.
public enum TrellisEncoder {
  /// The codes and table planes, with the frequencies that fit the codes.
  public static func planes(_ tensor: TrellisCodes) -> [[UInt8]] {
    let table = table(tensor, models: models(tensor))
    let contexts = TrellisContexts(table)
    let unit = TrellisCodec.unitRows(columns: tensor.columns)
    var codes: [UInt8] = []
    if tensor.columns > 0 {
      for row in stride(from: 0, to: tensor.rows, by: unit) {
        append(tensor, rows: row..<min(row + unit, tensor.rows), table, contexts, to: &codes)
      }
    }
    return [codes, table.encoded]
  }

  /// The models that fit the codes, by 2 * class + quantizer.
  public static func models(_ tensor: TrellisCodes) -> [TrellisModel] {
    let table = table(tensor, models: [])
    var counts = [[Int]](
      repeating: [Int](repeating: 0, count: TrellisModel.escape + 1), count: TrellisTable.classes * 2)
    for column in 0..<tensor.columns {
      let context = 2 * table.columnClass(column)
      walk(tensor, column: column) { code, state in
        counts[context + state & 1][min(abs(code), TrellisModel.escape)] += 1
      }
    }
    return counts.map { TrellisModel(fitting: $0) }
  }

  /// Bits that the codes take under models: what `planes` will write, but for the few bytes of each unit's ends.
  public static func codeBits(_ tensor: TrellisCodes, models: [TrellisModel]) -> Double {
    let table = table(tensor, models: models)
    let costs = models.map { TrellisCosts($0) }
    var total = 0.0
    for column in 0..<tensor.columns {
      let context = 2 * table.columnClass(column)
      walk(tensor, column: column) { code, state in total += Double(costs[context + state & 1][abs(code)]) }
    }
    return total
  }

  /// The values that the codes stand for, column after column.
  public static func values(_ tensor: TrellisCodes) -> [Float] {
    (0..<tensor.columns).flatMap { tensor.values(column: $0) }
  }

  static func table(_ tensor: TrellisCodes, models: [TrellisModel]) -> TrellisTable {
    TrellisTable(
      step: tensor.step, classOffset: tensor.classOffset, models: models, exponents: tensor.exponents)
  }

  /// Calls `body` with each code of a column, or of some rows from the start of a unit on, and the state it is in.
  static func walk(_ tensor: TrellisCodes, column: Int, rows: Range<Int>? = nil, _ body: (Int, Int) -> Void) {
    let unit = TrellisCodec.unitRows(columns: tensor.columns)
    tensor.codes.withUnsafeBufferPointer { codes in
      Trellis.next.withUnsafeBufferPointer { next in
        var state = 0
        for row in rows ?? 0..<tensor.rows {
          if row % unit == 0 { state = 0 }
          let code = Int(codes[column * tensor.rows + row])
          body(code, state)
          state = Int(next[2 * state + code & 1])
        }
      }
    }
  }

  /// Appends a unit. rANS codes backwards: the words are made last first.
  private static func append(
    _ tensor: TrellisCodes, rows: Range<Int>, _ table: TrellisTable, _ contexts: TrellisContexts,
    to bytes: inout [UInt8]
  ) {
    let states = statesBefore(tensor, rows: rows)
    let classes = (0..<tensor.columns).map { table.columnClass($0) }
    var writer = TrellisWriter(contexts)
    for element in stride(from: rows.count * tensor.columns - 1, through: 0, by: -1) {
      let column = element % tensor.columns
      let code = Int(tensor.codes[column * tensor.rows + rows.lowerBound + element / tensor.columns])
      writer.put(code, element: element, context: 2 * classes[column] + Int(states[element] & 1))
    }
    bytes.append(littleEndian: UInt32(TrellisUnit.lanes * 4 + writer.words.count * 2))
    for state in writer.states { bytes.append(littleEndian: state) }
    for word in writer.words.reversed() { bytes.append(littleEndian: word) }
  }

  /// The state that each element of a unit is in, in row order.
  private static func statesBefore(_ tensor: TrellisCodes, rows: Range<Int>) -> [UInt8] {
    var states = [UInt8](repeating: 0, count: rows.count * tensor.columns)
    for element in tensor.columns..<max(states.count, tensor.columns) {
      let above = element - tensor.columns
      let code = tensor.codes[above % tensor.columns * tensor.rows + rows.lowerBound + above / tensor.columns]
      states[element] = Trellis.next[Int(2 * states[above]) + Int(code & 1)]
    }
    return states
  }
}

/// The rANS encoder of one unit.
private struct TrellisWriter {
  let contexts: TrellisContexts
  private(set) var states = [UInt32](repeating: TrellisUnit.lowest, count: TrellisUnit.lanes)
  /// The words, last first.
  private(set) var words: [UInt16] = []

  init(_ contexts: TrellisContexts) { self.contexts = contexts }

  mutating func put(_ code: Int, element: Int, context: Int) {
    let lane = element % TrellisUnit.lanes
    let excess = abs(code) - TrellisModel.escape
    if excess >= 0 { push(lane, first: UInt32(excess), frequency: 1) }
    let symbol = context * 32 + TrellisModel.symbol(code)
    let first = UInt32(contexts.bounds[symbol])
    push(lane, first: first, frequency: UInt32(contexts.bounds[symbol + 1]) - first)
  }

  private mutating func push(_ lane: Int, first: UInt32, frequency: UInt32) {
    var state = states[lane]
    if UInt64(state) >= UInt64(frequency) << 20 {
      words.append(UInt16(truncatingIfNeeded: state))
      state >>= 16
    }
    states[lane] = (state / frequency) << 12 + state % frequency + first
  }
}
