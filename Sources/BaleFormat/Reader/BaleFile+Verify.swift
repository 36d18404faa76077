import ByteIO
import Pipeline
import Synchronization

/// Bytes of a `.bale` file that are not what was written.
public struct BaleDamage: Sendable, Equatable {
  public let file: String
  /// The bytes in the file.
  public let range: Range<Int>
  public let reason: BaleReason
  /// The records that hold these bytes: several if they share them.
  public let records: [RecordID]
  /// The tensors stored in them, by name; none where the bytes are padding, a file blob or the directory.
  public let tensors: [String]
}

/// What `BaleFile.verify` found.
public struct BaleVerification: Sendable {
  /// Bytes that were read and checked, over all files.
  public let bytes: Int
  public let chunks: Int
  /// By file and offset; empty if every digest holds.
  public let damage: [BaleDamage]
}

extension BaleFile {
  /// Reads every byte and checks every digest: those of the chunks, SHA-256 where the file carries it, and the roots.
  /// Collects all damage.
  /// - Parameters:
  ///   - threads: how many readers work at once.
  ///   - onProgress: gets the bytes checked so far, from any thread.
  /// Throws `IOError` or `SourceChanged` where bytes can't be read.
  public func verify(
    threads: Int = 2, onProgress: (@Sendable (_ bytes: Int) -> Void)? = nil
  ) throws -> BaleVerification {
    let work = VerificationWork(jobs: verificationJobs(), onProgress: onProgress)
    Workers.run(max(1, threads)) { _ in work.run(ChunkChecker(file: self)) }
    if let error = work.error.withLock({ $0 }) { throw error }
    for shard in shards { try shard.source.checkUnchanged() }
    let chunks = work.found.withLock { $0 }
    let damage =
      damagedRoots()
      + shards.indices.flatMap { shard in
        DamageReport(shard: shard, file: shards[shard]).describe(chunks.filter { $0.shard == shard })
      }
    return BaleVerification(
      bytes: shards.reduce(0) { $0 + $1.source.size }, chunks: work.jobs.reduce(0) { $0 + $1.chunks.count },
      damage: damage)
  }

  /// Header, trailer and directory were checked when the file was opened; the root takes a slower digest.
  private func damagedRoots() -> [BaleDamage] {
    shards.compactMap { shard in
      let hash = SHA256()
      hash.update(shard.directory.storage.bytes)
      let trailer = shard.directory.trailer
      guard hash.finish() != trailer.root else { return nil }
      let range = trailer.directoryOffset..<trailer.directoryOffset + trailer.directoryLength
      return BaleDamage(
        file: shard.source.path, range: range, reason: .rootMismatch, records: [], tensors: [])
    }
  }

  /// Runs of chunks of about 4 MiB. Chunks that records share are in one job only.
  private func verificationJobs() -> [VerificationJob] {
    var jobs: [VerificationJob] = []
    for (number, shard) in shards.enumerated() {
      var job = VerificationJob(shard: number)
      var end = UInt64(BaleConstants.headerLength)
      for record in shard.directory.records where record.offset == end {
        end += record.byteCount
        for index in Int(record.firstChunk)..<Int(record.firstChunk) + Int(record.chunkCount) {
          let chunk = shard.directory.chunks[index]
          guard chunk.offset >= record.offset else { continue }
          job.chunks.append(index)
          job.bytes += Int(chunk.extent)
          if job.bytes >= 4 << 20 {
            jobs.append(job)
            job = VerificationJob(shard: number)
          }
        }
      }
      if !job.chunks.isEmpty { jobs.append(job) }
    }
    return jobs
  }
}

/// Chunks that one thread checks in a row.
private struct VerificationJob: Sendable {
  var shard: Int
  var chunks: [Int] = []
  var bytes = 0
}

/// What the threads share.
private final class VerificationWork: Sendable {
  let jobs: [VerificationJob]
  let found = Lock<[DamagedChunk]>([])
  /// The first error that kept a thread from reading; the others then stop.
  let error = Lock<(any Error)?>(nil)
  private let onProgress: (@Sendable (Int) -> Void)?
  private let next = Atomic(0)
  private let done = Atomic(0)

  init(jobs: [VerificationJob], onProgress: (@Sendable (Int) -> Void)?) {
    self.jobs = jobs
    self.onProgress = onProgress
  }

  /// Takes jobs until none is left.
  func run(_ checker: ChunkChecker) {
    do {
      while error.withLock({ $0 == nil }) {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < jobs.count else { return }
        let damage = try checker.check(jobs[index])
        if !damage.isEmpty { found.withLock { $0 += damage } }
        onProgress?(done.wrappingAdd(jobs[index].bytes, ordering: .relaxed).newValue)
      }
    } catch let failure {
      error.withLock { if $0 == nil { $0 = failure } }
    }
  }
}

/// Checks chunks piece by piece: a piece is hashed while it is in the cache that it was read into.
private final class ChunkChecker {
  private let file: BaleFile
  private let buffer = ByteBuffer(count: 256 << 10)
  private let hash = XXH3Stream(bits: 64)

  init(file: BaleFile) { self.file = file }

  func check(_ job: VerificationJob) throws -> [DamagedChunk] {
    let shard = file.shards[job.shard]
    return try job.chunks.compactMap { index in
      try fault(of: index, in: shard).map { DamagedChunk(shard: job.shard, index: index, reason: $0) }
    }
  }

  private func fault(of index: Int, in shard: BaleFile.Shard) throws -> BaleReason? {
    let chunk = shard.directory.chunks[index]
    let expected = shard.directory.sha256(chunk: index)
    let sha256 = expected.map { _ in SHA256() }
    let count = Int(chunk.extent)
    hash.reset()
    for start in stride(from: 0, to: count, by: buffer.count) {
      try buffer.withMutableBytes { bytes in
        let piece = UnsafeMutableRawBufferPointer(rebasing: bytes[..<min(bytes.count, count - start)])
        try shard.source.read(at: Int(chunk.offset) + start, into: piece)
        hash.update(UnsafeRawBufferPointer(piece))
        sha256?.update(UnsafeRawBufferPointer(piece))
      }
    }
    guard hash.digest64 == chunk.digest else { return .chunkDamaged(bytes: count) }
    guard let sha256, let expected else { return nil }
    return sha256.finish().elementsEqual(expected) ? nil : .chunkSHA256(bytes: count)
  }
}
