/// The key-value pairs of a GGUF file in their order. A key occurs once; keys are equal if their bytes are.
public struct GGUFMetadata: Sendable, Equatable, ExpressibleByDictionaryLiteral {
  public struct Entry: Sendable, Equatable {
    public let key: String
    public var value: GGUFValue

    public static func == (left: Entry, right: Entry) -> Bool {
      GGUFString(left.key) == GGUFString(right.key) && left.value == right.value
    }
  }

  public private(set) var entries: [Entry] = []
  private var positions: [GGUFString: Int] = [:]

  public init() {}

  /// The pairs in the order given; of a repeated key the last value, at the first one's place.
  public init(dictionaryLiteral pairs: (String, GGUFValue)...) {
    for (key, value) in pairs { self[key] = value }
  }

  public static func == (left: GGUFMetadata, right: GGUFMetadata) -> Bool { left.entries == right.entries }

  /// The value of a key. Setting replaces it in place, or appends it; setting nil removes the key.
  public subscript(key: String) -> GGUFValue? {
    get { positions[GGUFString(key)].map { entries[$0].value } }
    set {
      guard let newValue else { return remove(key) }
      if let position = positions[GGUFString(key)] {
        entries[position].value = newValue
      } else {
        append(key, newValue)
      }
    }
  }

  /// The value of a key as an Int: nil if it is missing, of another kind, or doesn't fit. The other look-ups likewise.
  public func integer(_ key: String) -> Int? { self[key]?.integer }
  public func float(_ key: String) -> Double? { self[key]?.float }
  public func bool(_ key: String) -> Bool? { self[key]?.bool }
  public func text(_ key: String) -> String? { self[key]?.text }
  public func integers(_ key: String) -> [Int]? { self[key]?.array?.integers }
  public func floats(_ key: String) -> [Double]? { self[key]?.array?.floats }

  public func strings(_ key: String) -> GGUFStrings? {
    if case .string(let strings)? = self[key]?.array { strings } else { nil }
  }

  public func contains(_ key: String) -> Bool { positions[GGUFString(key)] != nil }

  /// Appends a key that the caller knows to be new.
  mutating func append(_ key: String, _ value: GGUFValue) {
    positions[GGUFString(key)] = entries.count
    entries.append(Entry(key: key, value: value))
  }

  private mutating func remove(_ key: String) {
    guard let position = positions.removeValue(forKey: GGUFString(key)) else { return }
    entries.remove(at: position)
    for index in position..<entries.count { positions[GGUFString(entries[index].key)] = index }
  }
}
