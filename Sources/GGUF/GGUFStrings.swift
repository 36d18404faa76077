/// An array of strings in two allocations, whatever their number: all bytes in one buffer, and where each string ends.
public struct GGUFStrings: Sendable, Hashable, RandomAccessCollection {
  /// The bytes of all strings, one after the other.
  public private(set) var bytes: [UInt8] = []
  /// For each string, the index in `bytes` just past it.
  public private(set) var ends: [Int] = []

  public init() {}

  public init(_ texts: some Sequence<String>) {
    for text in texts { append(utf8: text.utf8) }
  }

  public var startIndex: Int { 0 }
  public var endIndex: Int { ends.count }

  /// The bytes of a string.
  public subscript(index: Int) -> ArraySlice<UInt8> {
    bytes[(index == 0 ? 0 : ends[index - 1])..<ends[index]]
  }

  /// The text of a string, or nil if its bytes aren't UTF-8.
  public func text(at index: Int) -> String? { String(validating: self[index], as: UTF8.self) }

  public mutating func append(utf8 string: some Sequence<UInt8>) {
    bytes.append(contentsOf: string)
    ends.append(bytes.count)
  }

  mutating func append(raw string: UnsafeRawBufferPointer) {
    // As bytes of type UInt8: Array copies those in one piece.
    string.withMemoryRebound(to: UInt8.self) { bytes.append(contentsOf: $0) }
    ends.append(bytes.count)
  }

  mutating func reserve(strings: Int, bytes count: Int) {
    ends.reserveCapacity(strings)
    bytes.reserveCapacity(count)
  }
}
