/// The members of a JSON object in their order. Keys are compared by their bytes; one may stand more than once.
public struct JSONObject: Sendable, Equatable {
  public struct Member: Sendable, Equatable {
    public var key: String
    public var value: JSONValue

    public init(_ key: String, _ value: JSONValue) {
      self.key = key
      self.value = value
    }

    public static func == (left: Member, right: Member) -> Bool {
      ExactString(left.key) == ExactString(right.key) && left.value == right.value
    }
  }

  public private(set) var members: [Member] = []
  /// Last position of each key, kept once there are more members than are quickly searched through.
  private var positions: [ExactString: Int] = [:]
  private static let searchedThrough = 8

  public init() {}

  public init(_ members: [Member]) {
    for member in members { append(member) }
  }

  /// The value of the last member with that key. Setting replaces it, or appends a member; setting nil removes every
  /// member with that key.
  public subscript(key: String) -> JSONValue? {
    get { position(of: key).map { members[$0].value } }
    set {
      if let newValue {
        if let position = position(of: key) {
          members[position].value = newValue
        } else {
          append(Member(key, newValue))
        }
      } else {
        self = JSONObject(members.filter { ExactString($0.key) != ExactString(key) })
      }
    }
  }

  /// The first key that stands twice, or nil.
  public var duplicateKey: String? {
    var seen: Set<ExactString> = []
    return members.first { !seen.insert(ExactString($0.key)).inserted }?.key
  }

  public static func == (left: JSONObject, right: JSONObject) -> Bool { left.members == right.members }

  /// Adds a member, whether or not its key is there.
  public mutating func append(_ member: Member) {
    members.append(member)
    if members.count == Self.searchedThrough + 1 {
      for (position, member) in members.enumerated() { positions[ExactString(member.key)] = position }
    } else if members.count > Self.searchedThrough {
      positions[ExactString(member.key)] = members.count - 1
    }
  }

  func position(of key: String) -> Int? {
    let key = ExactString(key)
    guard members.count <= Self.searchedThrough else { return positions[key] }
    return members.lastIndex { ExactString($0.key) == key }
  }
}
