/// What to do with a key that stands twice in one object.
public enum DuplicateKeys: Sendable {
  /// `JSONReason.duplicateKey`.
  case refused
  /// All members are kept; a look-up gives the last.
  case kept
}

extension JSONValue {
  /// Reads a whole text: one value, with white space around it.
  public init(parsing bytes: [UInt8], duplicateKeys: DuplicateKeys = .refused) throws(JSONError) {
    self = try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) in
      try JSONValue(parsing: UnsafeRawBufferPointer(buffer), duplicateKeys: duplicateKeys)
    }
  }

  /// Reads a whole text: one value, with white space around it.
  public init(parsing bytes: UnsafeRawBufferPointer, duplicateKeys: DuplicateKeys = .refused) throws(JSONError) {
    var builder = JSONBuilder(scanner: try JSONScanner(bytes), duplicateKeys: duplicateKeys)
    self = try builder.build()
  }
}

/// Builds a value from a scanner with a stack of its own: nesting costs no recursion.
private struct JSONBuilder {
  var scanner: JSONScanner
  let duplicateKeys: DuplicateKeys
  private var open: [Container] = []

  /// An array or object that is not complete.
  private enum Container {
    case array([JSONValue])
    /// The key is that of the member being read.
    case object(JSONObject, key: String)
  }

  init(scanner: JSONScanner, duplicateKeys: DuplicateKeys) {
    self.scanner = scanner
    self.duplicateKeys = duplicateKeys
  }

  mutating func build() throws(JSONError) -> JSONValue {
    while true {
      guard var value = try scalarOrEnter() else { continue }
      while let container = open.popLast() {
        guard let finished = try extend(container, with: value) else { break }
        value = finished
      }
      if scanner.depth == 0 {
        try scanner.finish()
        return value
      }
    }
  }

  /// The next value if it is complete; nil if a container was entered and its first member comes next.
  private mutating func scalarOrEnter() throws(JSONError) -> JSONValue? {
    switch try scanner.peek() {
    case .string: return .string(try scanner.string().string)
    case .number: return .number(JSONNumber(token: try scanner.number()))
    case .bool: return .bool(try scanner.bool())
    case .null:
      try scanner.null()
      return .null
    case .array:
      try scanner.enterArray()
      guard try scanner.nextElement() else { return .array([]) }
      open.append(.array([]))
    case .object:
      try scanner.enterObject()
      guard let key = try scanner.nextKey() else { return .object(JSONObject()) }
      open.append(.object(JSONObject(), key: key.string))
    }
    return nil
  }

  /// Adds a member to a container: the container if that was the last one; nil, and it is open again, if not.
  private mutating func extend(
    _ container: consuming Container, with value: JSONValue
  ) throws(JSONError) -> JSONValue? {
    switch consume container {
    case .array(var elements):
      elements.append(value)
      guard try scanner.nextElement() else { return .array(elements) }
      open.append(.array(elements))
    case .object(var object, let key):
      object.append(JSONObject.Member(key, value))
      guard let next = try scanner.nextKey()?.string else { return .object(object) }
      if duplicateKeys == .refused, object.position(of: next) != nil {
        throw JSONError(.duplicateKey(next), offset: scanner.offset)
      }
      open.append(.object(object, key: next))
    }
    return nil
  }
}
