import ByteIO
import Pipeline

/// How far a run is, in a small file beside the destination, so that another process can go on. It holds the digest of
/// the plan and, for each piece of work that is done, in their order, what the run has to know of it. A piece is written
/// down only when its bytes are durable.
///
/// Bytes: "BALERUN2", the 32 bytes of the plan's digest; then for each piece the length of what is to be known (U32),
/// that, and the XXH3-64 of the piece's number (U64) and it. All numbers are little-endian.
final class Journal: Sendable {
  /// The pieces that were done when the journal was opened.
  let done: [[UInt8]]
  private let file: OutputFile
  /// End of the pieces.
  private let end: Lock<Int>

  private static let magic = Array("BALERUN2".utf8)
  private static let headerBytes = 40

  /// Where the journal of a destination lies.
  static func path(of destination: String) -> String {
    let slashes = destination.reversed().prefix { $0 == "/" }.count
    return destination.dropLast(slashes) + ".partial-journal"
  }

  /// Opens the journal of a destination, or makes it. Throws `IOError`, or `ResumeError` for that of another plan.
  init(of destination: String, plan digest: [UInt8]) throws {
    let path = Self.path(of: destination)
    file = try OutputFile(path, keptAs: path, overwrite: true)
    let input = try InputFile(path)
    let bytes = try input.bytes(0..<input.size)
    // A process that ended before the header was whole had done nothing.
    let isWhole = bytes.count >= Self.headerBytes && bytes.starts(with: Self.magic)
    if isWhole && !bytes.dropFirst(Self.magic.count).starts(with: digest) { throw ResumeError(journal: path) }
    let (pieces, length) = isWhole ? Self.pieces(bytes) : ([], Self.headerBytes)
    done = pieces
    end = Lock(length)
    if !isWhole { try file.write(Self.magic + digest, at: 0) }
    try file.truncate(to: length)
    try file.flush()
  }

  /// The pieces up to the first that isn't whole, and where they end.
  private static func pieces(_ bytes: [UInt8]) -> (pieces: [[UInt8]], end: Int) {
    var (pieces, end) = ([[UInt8]](), headerBytes)
    var cursor = ByteCursor(bytes)
    _ = cursor.skip(headerBytes)
    while let length = cursor.integer(UInt32.self), let piece = cursor.slice(Int(length)),
      cursor.integer(UInt64.self) == digest(pieces.count, piece)
    {
      pieces.append(Array(piece))
      end = cursor.position
    }
    return (pieces, end)
  }

  private static func digest(_ index: Int, _ piece: ArraySlice<UInt8>) -> UInt64 {
    var bytes: [UInt8] = []
    bytes.append(littleEndian: UInt64(index))
    return XXH3.digest64(bytes + piece)
  }

  /// Adds the pieces from number `first` on, whose bytes must be durable. Throws `IOError`.
  func append(_ pieces: [[UInt8]], from first: Int) throws {
    var bytes: [UInt8] = []
    for (index, piece) in pieces.enumerated() {
      bytes.append(littleEndian: UInt32(piece.count))
      bytes += piece
      bytes.append(littleEndian: Self.digest(first + index, piece[...]))
    }
    let start = end.withLock { $0 }
    try file.write(bytes, at: start)
    try file.flush()
    end.withLock { $0 = start + bytes.count }
  }

  /// Forgets all pieces. Throws `IOError`.
  func clear() throws {
    try file.truncate(to: Self.headerBytes)
    try file.flush()
    end.withLock { $0 = Self.headerBytes }
  }

  /// Removes the journal.
  func remove() { file.remove() }
}

/// The rest of an interrupted run lies where another is to be continued.
public struct ResumeError: Error, Equatable, CustomStringConvertible {
  /// Path of the journal that the interrupted run left.
  public var journal: String

  public var description: String {
    "\(journal): it is of another run (other options, or the source has changed); remove it to start over"
  }
}
