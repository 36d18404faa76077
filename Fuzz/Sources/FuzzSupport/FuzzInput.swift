/// The bytes of one input, copied out of the fuzzer's hands.
public func fuzzInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> [UInt8] {
  Array(UnsafeBufferPointer(start: data, count: count))
}

/// Ends the run with a finding: a property that doesn't hold.
public func require(_ condition: Bool, _ property: @autoclosure () -> String) {
  precondition(condition, property())
}

/// Takes an input apart from its front: small numbers and lines first, the rest as bytes.
public struct InputReader {
  private var rest: ArraySlice<UInt8>

  public init(_ bytes: [UInt8]) { rest = bytes[...] }

  /// The next byte, 0 after the last.
  public mutating func byte() -> Int { Int(rest.popFirst() ?? 0) }

  /// The text before the next line feed, which goes with it.
  public mutating func line() -> String {
    let line = rest.prefix { $0 != 0x0A }
    rest = rest.dropFirst(line.count + 1)
    return String(decoding: line, as: UTF8.self)
  }

  /// The bytes that are left.
  public var remaining: [UInt8] { Array(rest) }

  /// The next `count` bytes; where the input is shorter, its last pieces again, or zeros if there are none.
  public mutating func bytes(_ count: Int) -> [UInt8] {
    let piece = Array(rest.prefix(count))
    rest = rest.dropFirst(rest.count > count ? count : 0)
    if piece.isEmpty { return [UInt8](repeating: 0, count: count) }
    return (0..<count).map { piece[$0 % piece.count] }
  }
}
