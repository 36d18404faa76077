import ByteIO
import Pipeline

/// The digests of a file.
public struct FileDigest: Sendable, Equatable {
  public var name: String
  public var size: Int
  public var sha256: [UInt8]
  /// XXH3-64 of each chunk; empty if no chunk size was asked for.
  public var chunks: [UInt64]

  public init(name: String, size: Int, sha256: [UInt8], chunks: [UInt64] = []) {
    self.name = name
    self.size = size
    self.sha256 = sha256
    self.chunks = chunks
  }
}

/// Computes digests of files, each by one thread, several at a time.
public struct DigestJob: Sendable {
  private let files: [ModelFile]
  private let chunkSize: Int?

  public init(_ files: [ModelFile], chunkSize: Int? = nil) {
    self.files = files
    self.chunkSize = chunkSize
  }

  /// In the order of the files. Throws the first `IOError` or `SourceChanged`.
  /// - Parameter onProgress: gets the bytes done and those there are in all, from any thread.
  public func run(
    threads: Int, onProgress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws -> [FileDigest] {
    let inputs = try files.map { try InputFile($0.path).size }
    let total = inputs.reduce(0, +)
    let results = Monitor([FileDigest?](repeating: nil, count: files.count))
    let failure = Monitor<(any Error)?>(nil)
    let (next, done) = (Monitor(0), Monitor(0))
    // The largest first, so that no thread is left with it alone at the end.
    let order = inputs.indices.sorted { inputs[$0] > inputs[$1] }
    Workers.run(max(1, min(threads, files.count))) { _ in
      while failure.withLock({ $0 == nil }) {
        let position = next.withLock { number in
          defer { number += 1 }
          return number
        }
        guard position < order.count else { return }
        do {
          let digest = try digest(files[order[position]]) { count in
            let sum = done.withLock { sum in
              sum += count
              return sum
            }
            onProgress(sum, total)
          }
          results.withLock { $0[order[position]] = digest }
        } catch {
          failure.withLock { if $0 == nil { $0 = error } }
        }
      }
    }
    try failure.withLock { if let error = $0 { throw error } }
    return results.withLock { $0.compactMap { $0 } }
  }

  private func digest(_ file: ModelFile, _ onProgress: (Int) -> Void) throws -> FileDigest {
    let input = try InputFile(file.path)
    input.willReadSequentially()
    let hash = SHA256()
    let chunkHash = XXH3Stream(bits: 64)
    var result = FileDigest(name: file.name, size: input.size, sha256: [])
    let size = chunkSize ?? max(input.size, 1)
    let buffer = ByteBuffer(count: 256 << 10)
    for chunk in stride(from: 0, to: input.size, by: size) {
      let end = min(chunk + size, input.size)
      chunkHash.reset()
      for start in stride(from: chunk, to: end, by: buffer.count) {
        try buffer.withMutableBytes { bytes in
          let piece = UnsafeMutableRawBufferPointer(rebasing: bytes[..<min(bytes.count, end - start)])
          try input.read(at: start, into: piece)
          hash.update(UnsafeRawBufferPointer(piece))
          if chunkSize != nil { chunkHash.update(UnsafeRawBufferPointer(piece)) }
          onProgress(piece.count)
        }
      }
      if chunkSize != nil { result.chunks.append(chunkHash.digest64) }
    }
    try input.checkUnchanged()
    result.sha256 = hash.finish()
    return result
  }
}
