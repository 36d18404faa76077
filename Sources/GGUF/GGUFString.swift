/// A string of a GGUF file: bytes that ought to be UTF-8, but that no reader checks (tokens of a byte-level vocabulary
/// need not be). Two strings are equal if their bytes are, whatever Unicode says about them.
public struct GGUFString: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
  public var bytes: [UInt8]

  public init(bytes: [UInt8]) { self.bytes = bytes }

  public init(_ text: some StringProtocol) { bytes = Array(text.utf8) }

  public init(stringLiteral text: String) { self.init(text) }

  /// All bytes at once: the synthesized hash takes them one by one.
  public func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }

  /// The text, or nil if the bytes aren't UTF-8.
  public var text: String? { String(validating: bytes, as: UTF8.self) }

  /// The text with U+FFFD in place of what isn't UTF-8: to show, not to keep.
  public var description: String { String(decoding: bytes, as: UTF8.self) }
}
