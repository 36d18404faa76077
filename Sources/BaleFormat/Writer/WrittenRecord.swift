import ByteIO

/// A record as it entered a file's directory: what another process needs to go on after it without its bytes.
public struct WrittenRecord: Sendable, Equatable {
  /// Index of the file that holds it.
  public var shard: Int
  /// Its bytes in the file; those of an earlier record that is equal to it.
  var range: Range<Int>
  var chunks: [ChunkRow]
  /// SHA-256 of each chunk, where the file carries them.
  var sha256: [[UInt8]]
  /// Decoded bytes of each plane.
  var lengths: [Int]

  /// Bytes: shard, first byte, byte count, number of planes, of chunks, of digests (U64 each); each plane's length (U64),
  /// the chunks' rows, the digests. Little-endian.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    for number in [shard, range.lowerBound, range.count, lengths.count, chunks.count, sha256.count] + lengths {
      bytes.append(littleEndian: UInt64(number))
    }
    for chunk in chunks { chunk.append(to: &bytes) }
    for digest in sha256 { bytes += digest }
    return bytes
  }

  /// Reads `bytes` back. Nil if they are anything else.
  public init?(_ cursor: inout ByteCursor) {
    guard let shard = cursor.count(), let first = cursor.count(), let count = cursor.count(),
      let planes = cursor.count(), let rows = cursor.count(), let digests = cursor.count(),
      let end = first.adding(count)
    else { return nil }
    (self.shard, range) = (shard, first..<end)
    (lengths, chunks, sha256) = ([], [], [])
    for _ in 0..<planes {
      guard let length = cursor.count() else { return nil }
      lengths.append(length)
    }
    for _ in 0..<rows {
      guard let row = cursor.slice(ChunkRow.length),
        let chunk = Array(row).withUnsafeBytes({ $0.baseAddress.map { ChunkRow(reading: RowReader(base: $0)) } })
      else { return nil }
      chunks.append(chunk)
    }
    for _ in 0..<digests {
      guard let digest = cursor.slice(32) else { return nil }
      sha256.append(Array(digest))
    }
  }

  init(shard: Int, range: Range<Int>, chunks: [ChunkRow], sha256: [[UInt8]], lengths: [Int]) {
    self.shard = shard
    self.range = range
    self.chunks = chunks
    self.sha256 = sha256
    self.lengths = lengths
  }
}

extension ByteCursor {
  /// A U64 that can count something.
  fileprivate mutating func count() -> Int? { integer(UInt64.self).flatMap { Int(exactly: $0) } }
}
