/// The text form of an encoding, the same in recipes, on the command line and in a `.bale` directory:
/// `name` or `name:key=value,key=value`. A canonical descriptor spells out every parameter, in the codec's order.
public struct CodecDescriptor: Sendable, Hashable, CustomStringConvertible {
  public var name: String
  public var parameters: [Parameter]

  public struct Parameter: Sendable, Hashable {
    public var key: String
    public var value: String

    public init(key: String, value: String) {
      self.key = key
      self.value = value
    }
  }

  public init(_ name: String, _ parameters: KeyValuePairs<String, String> = [:]) {
    self.name = name
    self.parameters = parameters.map { Parameter(key: $0.key, value: $0.value) }
  }

  /// A descriptor of given parameters.
  public init(_ name: String, parameters: [Parameter]) {
    self.name = name
    self.parameters = parameters
  }

  /// Parses the text form. Throws `CodecError.descriptor` on an empty name, an empty or repeated key, or a parameter
  /// without "=". Names, keys and values are made of letters, digits, "_", "-" and ".".
  public init(parsing text: String) throws(CodecError) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    name = String(parts[0])
    parameters = []
    guard Self.isWord(name) else { throw .descriptor(text, reason: "it should start with the name of an encoding") }
    guard parts.count == 2 else { return }
    for field in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
      let pair = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard pair.count == 2, pair.allSatisfy(Self.isWord) else {
        throw .descriptor(text, reason: "'\(field)' should be key=value")
      }
      guard !parameters.contains(where: { $0.key == pair[0] }) else {
        throw .descriptor(text, reason: "'\(pair[0])' is given twice")
      }
      parameters.append(Parameter(key: pair[0], value: pair[1]))
    }
  }

  private static func isWord(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy {
        (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
          || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
      }
  }

  public var description: String {
    parameters.isEmpty
      ? name : name + ":" + parameters.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
  }
}

/// Takes a descriptor's parameters apart: each key is taken once, with its default, and what is left is an error.
public struct DescriptorReader {
  private let descriptor: CodecDescriptor
  private var unread: [CodecDescriptor.Parameter]

  public init(_ descriptor: CodecDescriptor) {
    self.descriptor = descriptor
    unread = descriptor.parameters
  }

  /// The value of `key`, or nil if it isn't given.
  public mutating func text(_ key: String) -> String? {
    guard let index = unread.firstIndex(where: { $0.key == key }) else { return nil }
    return unread.remove(at: index).value
  }

  public mutating func integer(_ key: String, default value: Int, in range: ClosedRange<Int>) throws(CodecError) -> Int
  {
    guard let text = text(key) else { return value }
    guard let number = Int(text), range.contains(number) else {
      throw .descriptor("\(descriptor)", reason: "\(key) should be a number in \(range), not '\(text)'")
    }
    return number
  }

  /// One of a closed set of values.
  public mutating func choice<T: RawRepresentable & CaseIterable>(
    _ key: String, default value: T, among cases: [T]? = nil
  ) throws(CodecError) -> T where T.RawValue == String {
    guard let text = text(key) else { return value }
    let allowed = cases ?? Array(T.allCases)
    guard let found = allowed.first(where: { $0.rawValue.lowercased() == text.lowercased() }) else {
      let names = allowed.map(\.rawValue).joined(separator: ", ")
      throw .descriptor("\(descriptor)", reason: "\(key) should be one of \(names), not '\(text)'")
    }
    return found
  }

  /// The parameters not yet taken, which count as taken from now on.
  public mutating func rest() -> [CodecDescriptor.Parameter] {
    defer { unread = [] }
    return unread
  }

  /// Throws if a parameter has not been taken.
  public func finish() throws(CodecError) {
    if let left = unread.first {
      throw .descriptor("\(descriptor)", reason: "it has no parameter '\(left.key)'")
    }
  }
}
