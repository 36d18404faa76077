import ByteIO

/// What can be wrong with a parity file, or with what it should restore (specs/parity.md, "Errors").
public enum ParityReason: FaultReason, Error {
  /// No page can be read: not a parity file, or one without a whole page.
  case notParity
  case version(UInt32)
  case reserved
  /// Block size and counts that contradict each other or the file's length.
  case geometry(String)
  /// Both copies of a page are damaged.
  case pageLost(page: Int)
  /// What was restored isn't the file that was protected.
  case restoredDigest
  /// A file that can't be cut in so few blocks, or blocks that are too many.
  case blocks(count: Int, limit: Int)

  public var description: String {
    switch self {
    case .notParity: "not a parity file: no page of it can be read"
    case .version(let version): "parity version \(version); this bale reads version 1"
    case .reserved: "a reserved field isn't zero"
    case .geometry(let reason): "the page header contradicts itself: \(reason)"
    case .pageLost(let page): "both copies of page \(page) are damaged: the digests of its blocks are lost"
    case .restoredDigest: "the restored bytes don't have the SHA-256 of the protected file; nothing was written"
    case .blocks(let count, let limit): "data and parity would be \(count) blocks, more than \(limit)"
    }
  }
}

public typealias ParityError = Fault<ParityReason>
