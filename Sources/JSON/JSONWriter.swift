/// How JSON is written.
public struct JSONStyle: Sendable, Equatable {
  /// Spaces a level, each member on its own line; nil for everything on one line.
  public var indent: Int?
  /// True for a space after each colon, and after each comma if all is on one line.
  public var spaced: Bool
  /// True to write members ascending by key (by UTF-8 bytes, which is by code point).
  public var sortKeys: Bool
  /// True to write everything outside printable ASCII as `\uXXXX`.
  public var asciiOnly: Bool

  public init(indent: Int? = nil, spaced: Bool = false, sortKeys: Bool = false, asciiOnly: Bool = false) {
    self.indent = indent
    self.spaced = spaced
    self.sortKeys = sortKeys
    self.asciiOnly = asciiOnly
  }

  /// No white space; what serde_json writes.
  public static let compact = JSONStyle()

  /// What Python's `json.dumps(indent=indent, sort_keys=sortKeys)` writes.
  public static func python(indent: Int? = nil, sortKeys: Bool = false) -> JSONStyle {
    JSONStyle(indent: indent, spaced: true, sortKeys: sortKeys, asciiOnly: true)
  }
}

extension JSONValue {
  /// The value as JSON text in UTF-8, without a newline at the end.
  public func encoded(_ style: JSONStyle = .compact) -> [UInt8] {
    var writer = JSONWriter(style: style)
    writer.write(self)
    return writer.bytes
  }
}

/// Writes values with a stack of its own, so that nesting costs no recursion.
private struct JSONWriter {
  let style: JSONStyle
  var bytes: [UInt8] = []
  private var open: [Container] = []

  /// An array or object being written: what is left of it.
  private struct Container {
    var members: ArraySlice<(key: String?, value: JSONValue)>
    var close: UInt8
    var isFirst = true
  }

  init(style: JSONStyle) { self.style = style }

  mutating func write(_ value: JSONValue) {
    begin(value)
    while var container = open.popLast() {
      guard let member = container.members.popFirst() else {
        newline(level: open.count)
        bytes.append(container.close)
        continue
      }
      if !container.isFirst { bytes.append(UInt8(ascii: ",")) }
      let sameLine = style.indent == nil && style.spaced && !container.isFirst
      if sameLine { bytes.append(UInt8(ascii: " ")) }
      container.isFirst = false
      open.append(container)
      newline(level: open.count)
      if let key = member.key {
        bytes.appendJSON(key, asciiOnly: style.asciiOnly)
        bytes.append(contentsOf: style.spaced ? ": ".utf8 : ":".utf8)
      }
      begin(member.value)
    }
  }

  /// Writes a scalar or an empty container whole, and opens any other.
  private mutating func begin(_ value: JSONValue) {
    switch value {
    case .string(let string): bytes.appendJSON(string, asciiOnly: style.asciiOnly)
    case .number(let number): bytes.append(contentsOf: number.text.utf8)
    case .bool(let bool): bytes.append(contentsOf: bool ? "true".utf8 : "false".utf8)
    case .null: bytes.append(contentsOf: "null".utf8)
    case .array(let elements): open(elements.map { (nil, $0) }, "[", "]")
    case .object(let object): open(ordered(object).map { ($0.key, $0.value) }, "{", "}")
    }
  }

  private mutating func open(
    _ members: [(key: String?, value: JSONValue)], _ first: Unicode.Scalar, _ last: Unicode.Scalar
  ) {
    bytes.append(UInt8(ascii: first))
    if members.isEmpty {
      bytes.append(UInt8(ascii: last))
    } else {
      open.append(Container(members: members[...], close: UInt8(ascii: last)))
    }
  }

  private func ordered(_ object: JSONObject) -> [JSONObject.Member] {
    style.sortKeys ? object.members.sorted { ExactString($0.key) < ExactString($1.key) } : object.members
  }

  private mutating func newline(level: Int) {
    guard let indent = style.indent else { return }
    bytes.append(UInt8(ascii: "\n"))
    bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: indent * level))
  }
}
