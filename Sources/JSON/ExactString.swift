#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A string that is compared, ordered and hashed by its UTF-8 bytes.
///
/// Swift's own comparison takes canonically equivalent strings ("é" in one scalar or in two) for equal. Tensor names
/// and tokens that differ in a byte are different ones.
public struct ExactString: Sendable, Hashable, Comparable {
  public let string: String

  public init(_ string: String) { self.string = string }

  public static func == (left: ExactString, right: ExactString) -> Bool { compare(left.string, right.string) == 0 }

  public static func < (left: ExactString, right: ExactString) -> Bool { compare(left.string, right.string) < 0 }

  public func hash(into hasher: inout Hasher) {
    withBytes(string) { hasher.combine(bytes: $0) }
  }

  /// Negative, zero or positive as `left` sorts before, with or after `right`.
  private static func compare(_ left: String, _ right: String) -> Int {
    withBytes(left) { left in
      withBytes(right) { right in
        let common = min(left.count, right.count)
        if common > 0, let a = left.baseAddress, let b = right.baseAddress {
          let order = memcmp(a, b, common)
          if order != 0 { return Int(order) }
        }
        return left.count - right.count
      }
    }
  }
}

/// The UTF-8 bytes of a string, without a copy where it holds them so (a native Swift string always does).
private func withBytes<Result>(_ string: String, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
  string.utf8.withContiguousStorageIfAvailable { body(UnsafeRawBufferPointer($0)) }
    ?? Array(string.utf8).withUnsafeBytes(body)
}
