/// A regular expression out of a configuration, found anywhere in a module's name: bytes, `.`, `\d`, `\w`, `\s` and
/// escaped bytes, `[...]`, groups, `|`, `*`, `+`, `?`, `^` and `$`. Matched by its positions (Glushkov, 1961), in time
/// that grows with the pattern times the name: a file can't make it hang, and nothing recurses.
struct ModulePattern {
  private static let longest = 1024
  private static let deepest = 32

  /// What stands before a name and after it.
  private enum Edge { static let (start, end) = (256, 257) }

  /// What a position matches: bytes, and the two edges.
  private var positions: [[Bool]] = []
  private var follow: [Set<Int>] = []
  private var whole = Part()

  /// Part of an expression, by where a match of it can begin and end.
  private struct Part {
    var isNullable = true
    var first: Set<Int> = []
    var last: Set<Int> = []
  }

  /// What is open while a group is read.
  private struct Frame {
    /// Alternatives before the last `|`.
    var alternatives: Part?
    var sequence = Part()
    /// What a `*` would repeat.
    var atom: Part?
  }

  /// Nil for a pattern of more than 1024 bytes, or with anything else in it.
  init?(_ text: String) {
    var bytes = Array(text.utf8)[...]
    guard bytes.count <= Self.longest else { return nil }
    var frames = [Frame()]
    while let byte = bytes.popFirst() {
      guard step(byte, &bytes, &frames) else { return nil }
    }
    guard frames.count == 1, let last = frames.popLast() else { return nil }
    whole = closed(last)
  }

  private mutating func step(_ byte: UInt8, _ rest: inout ArraySlice<UInt8>, _ frames: inout [Frame]) -> Bool {
    let top = frames.count - 1
    switch byte {
    case UInt8(ascii: "("):
      if rest.starts(with: Array("?:".utf8)) { rest = rest.dropFirst(2) }
      guard frames.count < Self.deepest, rest.first != UInt8(ascii: "?") else { return false }
      frames.append(Frame())
    case UInt8(ascii: ")"):
      guard frames.count > 1, let group = frames.popLast() else { return false }
      let part = closed(group)
      begin(part, &frames[top - 1])
    case UInt8(ascii: "|"):
      frames[top] = Frame(alternatives: closed(frames[top]))
    case UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "?"):
      guard let atom = frames[top].atom else { return false }
      frames[top].atom = repeated(atom, byte)
    default:
      guard let matched = matched(byte, &rest) else { return false }
      positions.append(matched)
      follow.append([])
      let position: Set = [positions.count - 1]
      begin(Part(isNullable: false, first: position, last: position), &frames[top])
    }
    return true
  }

  /// Takes up an atom, after the one before it.
  private mutating func begin(_ part: Part, _ frame: inout Frame) {
    frame.sequence = joined(frame.sequence, frame.atom ?? Part())
    frame.atom = part
  }

  private mutating func closed(_ frame: Frame) -> Part {
    let sequence = joined(frame.sequence, frame.atom ?? Part())
    guard let before = frame.alternatives else { return sequence }
    return Part(
      isNullable: before.isNullable || sequence.isNullable, first: before.first.union(sequence.first),
      last: before.last.union(sequence.last))
  }

  private mutating func joined(_ left: Part, _ right: Part) -> Part {
    for position in left.last { follow[position].formUnion(right.first) }
    return Part(
      isNullable: left.isNullable && right.isNullable,
      first: left.isNullable ? left.first.union(right.first) : left.first,
      last: right.isNullable ? right.last.union(left.last) : right.last)
  }

  private mutating func repeated(_ part: Part, _ sign: UInt8) -> Part {
    if sign != UInt8(ascii: "?") {
      for position in part.last { follow[position].formUnion(part.first) }
    }
    return Part(isNullable: part.isNullable || sign != UInt8(ascii: "+"), first: part.first, last: part.last)
  }

  // MARK: - Bytes

  /// What an atom that begins with this byte matches.
  private func matched(_ byte: UInt8, _ rest: inout ArraySlice<UInt8>) -> [Bool]? {
    switch byte {
    case UInt8(ascii: "^"): Self.symbols { $0 == Edge.start }
    case UInt8(ascii: "$"): Self.symbols { $0 == Edge.end }
    case UInt8(ascii: "."): Self.symbols { $0 < 256 }
    case UInt8(ascii: "\\"): Self.escaped(&rest)
    case UInt8(ascii: "["): Self.set(&rest)
    case UInt8(ascii: "{"): nil
    default: Self.symbols { $0 == Int(byte) }
    }
  }

  private static func symbols(_ matches: (Int) -> Bool) -> [Bool] { (0...Edge.end).map(matches) }

  private static func escaped(_ rest: inout ArraySlice<UInt8>) -> [Bool]? {
    func isWord(_ symbol: Int) -> Bool {
      UInt8(exactly: symbol).map { byte in
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
          || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
      } ?? false
    }
    guard let byte = rest.popFirst() else { return nil }
    switch byte {
    case UInt8(ascii: "d"): return symbols { (48...57).contains($0) }
    case UInt8(ascii: "w"): return symbols(isWord)
    case UInt8(ascii: "s"): return symbols { $0 == 32 || (9...13).contains($0) }
    default: return isWord(Int(byte)) ? nil : symbols { $0 == Int(byte) }
    }
  }

  /// The members of `[...]`, of which the bracket has been read.
  private static func set(_ rest: inout ArraySlice<UInt8>) -> [Bool]? {
    let isNegated = rest.first == UInt8(ascii: "^")
    if isNegated { rest = rest.dropFirst() }
    var members = symbols { _ in false }
    var previous: Int?
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "]") {
        return isNegated ? symbols { $0 < 256 && !members[$0] } : members
      }
      if byte == UInt8(ascii: "\\") {
        guard let escape = escaped(&rest) else { return nil }
        for symbol in 0..<256 where escape[symbol] { members[symbol] = true }
        previous = nil
      } else if byte == UInt8(ascii: "-"), let from = previous, let to = rest.first, to != UInt8(ascii: "]") {
        guard from <= Int(to) else { return nil }
        for symbol in from...Int(to) { members[symbol] = true }
        rest = rest.dropFirst()
        previous = nil
      } else {
        members[Int(byte)] = true
        previous = Int(byte)
      }
    }
    return nil
  }

  // MARK: - Matching

  /// True if it is found anywhere in a name of at most 4096 bytes.
  func matches(_ name: String) -> Bool {
    if whole.isNullable { return true }
    let bytes = Array(name.utf8)
    guard bytes.count <= 4096 else { return false }
    var reached: Set<Int> = []
    for symbol in [Edge.start] + bytes.map(Int.init) + [Edge.end] {
      let open = reached.reduce(into: whole.first) { $0.formUnion(follow[$1]) }
      reached = open.filter { positions[$0][symbol] }
      if !reached.isDisjoint(with: whole.last) { return true }
    }
    return false
  }
}
