import ByteIO
import Tensors

/// Reads a pickle of protocol 2 to 5 without executing it: a stack of plain values, to which the few calls that
/// `torch.save` writes for tensors are applied by what they mean. Every other name is refused.
struct PickleReader {
  private let bytes: [UInt8]
  private var at = 0
  private var stack: [Item] = []
  private var marks: [Int] = []
  private var memo: [Int: Item] = [:]

  /// A value, and how many values lie in one another in it.
  private struct Item {
    var value: PickleValue
    var depth: Int
  }

  private static let longestStack = 1 << 22
  private static let deepest = 32

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The value that is described. Throws `TorchReason.pickle`.
  mutating func read() throws(TorchReason) -> PickleValue {
    while true {
      let code = try byte()
      if code == UInt8(ascii: ".") { return try pop().value }
      try step(code)
      guard stack.count <= Self.longestStack else { throw .pickle("it has too many values") }
    }
  }

  private mutating func step(_ code: UInt8) throws(TorchReason) {
    switch code {
    case 0x80: _ = try byte()
    case 0x95: _ = try number(8)
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "}"): push(.dictionary([]))
    case UInt8(ascii: "]"): push(.list([]))
    case UInt8(ascii: ")"): push(.tuple([]))
    case UInt8(ascii: "N"): push(.none)
    case 0x88: push(.bool(true))
    case 0x89: push(.bool(false))
    case UInt8(ascii: "K"): push(.integer(try number(1)))
    case UInt8(ascii: "M"): push(.integer(try number(2)))
    case UInt8(ascii: "J"): push(.integer(Int(Int32(truncatingIfNeeded: try number(4)))))
    case 0x8A: push(.integer(try long()))
    case UInt8(ascii: "G"): push(.real(Double(bitPattern: UInt64(bigEndian: UInt64(try word(8))))))
    case UInt8(ascii: "X"): push(.string(try text(number(4))))
    case 0x8C: push(.string(try text(number(1))))
    case UInt8(ascii: "c"): push(.global(try line() + "." + line()))
    case 0x93: try named()
    case UInt8(ascii: "q"): memo[try number(1)] = try top()
    case UInt8(ascii: "r"): memo[try number(4)] = try top()
    case 0x94: memo[memo.count] = try top()
    case UInt8(ascii: "h"): stack.append(try remembered(number(1)))
    case UInt8(ascii: "j"): stack.append(try remembered(number(4)))
    default: try build(code)
    }
  }

  /// What takes values off the stack.
  private mutating func build(_ code: UInt8) throws(TorchReason) {
    switch code {
    case UInt8(ascii: "t"): try push(marked()) { .tuple($0) }
    case 0x85...0x87: try push(pop(Int(code) - 0x84)) { .tuple($0) }
    case UInt8(ascii: "a"): try append([pop()])
    case UInt8(ascii: "e"): try append(marked())
    case UInt8(ascii: "s"): try insert(pop(2))
    case UInt8(ascii: "u"): try insert(marked())
    case UInt8(ascii: "Q"): push(try storage(pop().value))
    case UInt8(ascii: "R"):
      let operands = try pop(2)
      try push(operands) { (values) throws(TorchReason) in try PickleCall.result(of: values[0], values[1]) }
    // The state of an ordered dictionary says nothing of its members.
    case UInt8(ascii: "b"): _ = try pop()
    default: throw .pickle("the operation \(code) at byte \(at - 1) is not one of plain tensors")
    }
  }

  // MARK: - Bytes

  private mutating func byte() throws(TorchReason) -> UInt8 {
    guard at < bytes.count else { throw .pickle("it ends early") }
    defer { at += 1 }
    return bytes[at]
  }

  private mutating func word(_ count: Int) throws(TorchReason) -> UInt64 {
    guard bytes.count - at >= count else { throw .pickle("it ends early") }
    defer { at += count }
    return bytes.littleEndian(at: at, bytes: count)
  }

  private mutating func number(_ count: Int) throws(TorchReason) -> Int {
    guard let value = Int(exactly: try word(count)) else { throw .pickle("a length past all bounds") }
    return value
  }

  /// A two's complement number of a few bytes.
  private mutating func long() throws(TorchReason) -> Int {
    let count = try number(1)
    guard count <= 8 else { throw .pickle("an integer of \(count) bytes") }
    let spare = UInt64(64 - 8 * count)
    return count == 0 ? 0 : Int(Int64(bitPattern: try word(count) << spare) >> Int64(spare))
  }

  private mutating func text(_ count: Int) throws(TorchReason) -> String {
    guard bytes.count - at >= count, let text = String(validating: bytes[at..<at + count], as: UTF8.self) else {
      throw .pickle("a string that ends early, or isn't UTF-8")
    }
    at += count
    return text
  }

  private mutating func line() throws(TorchReason) -> String {
    guard let end = bytes[at...].firstIndex(of: UInt8(ascii: "\n")) else { throw .pickle("it ends early") }
    defer { at = end + 1 }
    guard let line = String(validating: bytes[at..<end], as: UTF8.self) else { throw .pickle("a name isn't UTF-8") }
    return line
  }

  // MARK: - Stack

  private mutating func push(_ value: PickleValue) { stack.append(Item(value: value, depth: 0)) }

  /// Pushes what is made of some values.
  private mutating func push(
    _ items: [Item], _ make: ([PickleValue]) throws(TorchReason) -> PickleValue
  ) throws(TorchReason) {
    let depth = items.reduce(0) { max($0, $1.depth + 1) }
    guard depth <= Self.deepest else { throw .pickle("values lie in more than \(Self.deepest) others") }
    stack.append(Item(value: try make(items.map(\.value)), depth: depth))
  }

  private func top() throws(TorchReason) -> Item {
    guard let last = stack.last else { throw .pickle("it takes a value that isn't there") }
    return last
  }

  private mutating func pop() throws(TorchReason) -> Item { try pop(1)[0] }

  private mutating func pop(_ count: Int) throws(TorchReason) -> [Item] {
    guard stack.count - (marks.last ?? 0) >= count else { throw .pickle("it takes a value that isn't there") }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  /// The values since the last mark.
  private mutating func marked() throws(TorchReason) -> [Item] {
    guard let mark = marks.popLast(), mark <= stack.count else { throw .pickle("it takes a mark that isn't there") }
    defer { stack.removeLast(stack.count - mark) }
    return Array(stack[mark...])
  }

  private mutating func append(_ items: [Item]) throws(TorchReason) {
    var list = try pop()
    var values: [PickleValue]
    switch list.value {
    case .list(let before): values = before
    default: throw .pickle("it appends to what is no list")
    }
    try grow(&list, items) { (made) throws(TorchReason) in
      values += made
      return .list(values)
    }
  }

  private mutating func insert(_ items: [Item]) throws(TorchReason) {
    var dictionary = try pop()
    var members: [(key: PickleValue, value: PickleValue)]
    switch dictionary.value {
    case .dictionary(let before) where items.count % 2 == 0: members = before
    default: throw .pickle("it sets members of what is no dictionary")
    }
    try grow(&dictionary, items) { (made) throws(TorchReason) in
      for index in stride(from: 0, to: made.count, by: 2) { members.append((key: made[index], value: made[index + 1])) }
      return .dictionary(members)
    }
  }

  /// Pushes a container with more in it. It lets go of what it held before that is made, so that the members are not
  /// copied for each that comes.
  private mutating func grow(
    _ container: inout Item, _ items: [Item], _ make: ([PickleValue]) throws(TorchReason) -> PickleValue
  ) throws(TorchReason) {
    container.value = .none
    try push(items, make)
    stack[stack.count - 1].depth = max(stack[stack.count - 1].depth, container.depth)
  }

  /// What was remembered. Lists and dictionaries may have grown since, and are refused.
  private func remembered(_ index: Int) throws(TorchReason) -> Item {
    guard let item = memo[index] else { throw .pickle("it refers to a value that isn't there") }
    switch item.value {
    case .list, .dictionary: throw .pickle("a list or dictionary is in two places")
    default: return item
    }
  }

  private mutating func named() throws(TorchReason) {
    let parts = try pop(2)
    guard case .string(let module) = parts[0].value, case .string(let name) = parts[1].value else {
      throw .pickle("a name that is no string")
    }
    push(.global(module + "." + name))
  }

  /// ("storage", type, key, device, elements)
  private func storage(_ id: PickleValue) throws(TorchReason) -> PickleValue {
    guard let parts = id.items, parts.count >= 5, case .string("storage") = parts[0], case .global(let type) = parts[1],
      let dtype = PickleCall.storages[type], case .string(let key) = parts[2]
    else { throw .pickle("a storage that isn't one of torch's plain types") }
    return .storage(dtype: dtype, key: key)
  }
}
