/// Bytes that a `ProtobufReader` walks: in memory, or read from a file as they are needed. A source says what is wrong in
/// the words of its format.
public protocol ProtobufSource {
  /// What reading throws: what is wrong with the message, and whatever reading bytes can throw.
  associatedtype Failure: Error

  /// Bytes in all.
  var count: Int { get }

  /// The largest field number that is read. Protocol buffers have none above 2^29 - 1.
  var largestField: UInt64 { get }

  /// The byte at a position below `count`.
  mutating func byte(at position: Int) throws(Failure) -> UInt8

  /// What to throw where a reader at `position` can't go on.
  func fault(_ reason: ProtobufReason, at position: Int) -> Failure
}

/// What keeps a message from being walked.
public enum ProtobufReason: Equatable, Sendable {
  /// A message ends within a field.
  case truncated
  /// A number of more than ten bytes.
  case longNumber
  /// A field number that is 0, or larger than its source allows.
  case fieldNumber(tag: UInt64)
  /// A wire type that protocol buffers no longer use (3, 4) or never did (6, 7).
  case wireType(tag: UInt64)
}
