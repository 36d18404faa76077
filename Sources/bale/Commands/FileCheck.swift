import ArgumentParser
import ByteIO
import Conversion
import JSON
import Manifests
import Signing

/// What `bale verify` does with a manifest or a signature: compares files with what was written down of them.
struct FileCheck {
  let path: String
  let ignored: [String]
  let options: GlobalOptions

  func against(manifest file: String) throws {
    let manifest = try Manifest(reading: file)
    let skipped = ignored + manifest.ignored + [ModelFiles.name(of: file, in: path)].compactMap { $0 }
    let files = try ModelFiles(of: path, ignored: skipped, followsLinks: true)
    let found = try digesting {
      try DigestJob(files.files, chunkSize: manifest.chunkSize).run(threads: options.threads, onProgress: $0)
    }
    let mismatches = FileMismatch.all(expected: manifest.files, found: found, chunkSize: manifest.chunkSize)
    try report(mismatches, files: manifest.files.count, bytes: found.reduce(0) { $0 + $1.size }, by: file)
  }

  func against(signature file: String, key: String) throws {
    let statement = try ModelSignature.statement(of: file, key: key)
    let (mismatches, bytes) = try digesting {
      try ModelSignature.mismatches(
        of: path, statement, signature: file, ignored: ignored, threads: options.threads, onProgress: $0)
    }
    try report(mismatches, files: statement.resources.count, bytes: bytes, by: file)
  }

  private func digesting<R>(_ work: (@escaping @Sendable (Int, Int) -> Void) throws -> R) rethrows -> R {
    let progress = ProgressLine("digesting", options: options)
    defer { progress.finish() }
    return try work { progress.update(Progress(bytesDone: $0, bytesTotal: $1)) }
  }

  private func report(_ mismatches: [FileMismatch], files: Int, bytes: Int, by file: String) throws {
    for mismatch in mismatches { Terminal.error("bale: \(path): \(mismatch)") }
    if options.json {
      Terminal.print(json(mismatches, files: files, bytes: bytes))
    } else if !options.quiet {
      print(
        mismatches.isEmpty
          ? "\(path): all \(files) files are as \(file) says: \(Format.bytes(bytes)), SHA-256 of each holds"
          : "\(path): BAD: \(mismatches.count) files aren't as \(file) says")
    }
    if !mismatches.isEmpty { throw ExitCode(Failure.bad) }
  }

  private func json(_ mismatches: [FileMismatch], files: Int, bytes: Int) -> JSONValue {
    [
      "path": .string(path), "holds": .bool(mismatches.isEmpty), "files": .integer(files), "bytes": .integer(bytes),
      "mismatches": .array(
        mismatches.map {
          [
            "file": .string($0.name), "reason": .string($0.kind.rawValue),
            "ranges": .array($0.ranges.map { ["begin": .integer($0.lowerBound), "end": .integer($0.upperBound)] }),
          ]
        }),
    ]
  }
}
