import ByteIO
import Checkpoints
import Conversion
import JSON
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The files of Scripts/make-malformed.py: those that are wrong end in an error of ours, those that only look wrong
/// are packed and come back with the same bytes.
@Suite(.enabled(if: MalformedCorpus.shared != nil, "python3 is not installed"), .serialized)
struct MalformedCorpusTests {
  @Test func itIsLargeEnough() throws {
    let corpus = try #require(MalformedCorpus.shared)
    #expect(corpus.cases.count { !$0.isValid && $0.kind != "checkpoint" } >= 200)
    #expect(corpus.cases.count { $0.isValid && $0.kind != "checkpoint" } >= 40)
  }

  @Test(arguments: ["gguf", "safetensors", "checkpoint"]) func everyInvalidOneIsRefused(kind: String) throws {
    let corpus = try #require(MalformedCorpus.shared)
    for item in corpus.cases where !item.isValid && item.kind == kind {
      let directory = try TemporaryDirectory()
      let reason: Comment = "\(item.kind)/\(item.name): \(item.reason)"
      do {
        try item.convert(into: directory)
        Issue.record(reason)
      } catch {
        #expect(error is any BadFileError, reason)
      }
      #expect(try Path.entries(of: directory.path).isEmpty, reason)
    }
  }

  @Test(arguments: ["gguf", "safetensors", "checkpoint"]) func everyValidOneComesBack(kind: String) throws {
    let corpus = try #require(MalformedCorpus.shared)
    for item in corpus.cases where item.isValid && item.kind == kind {
      let directory = try TemporaryDirectory()
      do {
        try item.convert(into: directory)
        guard item.target == "bale" else { continue }
        try Jobs.unpack(directory.file("out.bale"), to: directory.file("back"))
        #expect(try MalformedCorpus.tree(directory.file("back")) == item.files(), "\(item.kind)/\(item.name)")
      } catch {
        Issue.record("\(item.kind)/\(item.name), \(item.reason): \(error)")
      }
    }
  }
}

/// The corpus, made once a run.
struct MalformedCorpus: Sendable {
  struct Case: Sendable {
    var name, kind, reason, target, path: String
    var isValid: Bool

    /// Packs the case losslessly, or makes it GGUF.
    func convert(into directory: TemporaryDirectory) throws {
      if target == "bale" {
        try Jobs.pack(path, to: directory.file("out.bale"), threads: 1)
      } else {
        let source = try Checkpoints.open(path)
        let view: any Checkpoint = try GGUFView(source) ?? source
        let request = ConvertRequest(
          format: .gguf, isSingleFile: true, recipe: try QuantizeType(nil, dequantized: nil, format: .gguf).recipe,
          dequantized: nil, shardSize: nil)
        let destination = ConvertDestination(path: directory.file("out.gguf"), isSingleFile: true, overwrite: false)
        _ = try ConvertJob(view, plan: ConvertPlan(view, request: request))
          .run(to: destination, resources: Resources(threads: 1, memory: 64 << 20)) { _ in }
      }
    }

    /// The bytes that have to come back, by name.
    func files() throws -> [String: [UInt8]] {
      if Path.isDirectory(path) { return try MalformedCorpus.tree(path) }
      if kind == "checkpoint" { return try MalformedCorpus.tree(Path.directory(of: path)) }
      return [Path.name(of: path): try Fixtures.bytes(path)]
    }
  }

  /// The bytes of all files below a directory, by their path in it.
  static func tree(_ directory: String, prefix: String = "") throws -> [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    for name in try Path.entries(of: directory) {
      let path = Path.join(directory, name)
      if Path.isDirectory(path) {
        result.merge(try tree(path, prefix: prefix + name + "/")) { first, _ in first }
      } else {
        result[prefix + name] = try Fixtures.bytes(path)
      }
    }
    return result
  }

  let directory: TemporaryDirectory
  let cases: [Case]

  static let shared = try? MalformedCorpus()

  private init() throws {
    directory = try TemporaryDirectory()
    let folder = directory.file("corpus")
    let script = Fixtures.root + "/Scripts/make-malformed.py"
    guard system("python3 '\(script)' '\(folder)' > /dev/null 2>&1") == 0 else {
      throw IOError("run", path: script, code: ENOENT)
    }
    let rows = try JSONValue(parsing: Fixtures.bytes(folder + "/corpus.json")).array ?? []
    cases = rows.map { row in
      func text(_ key: String) -> String { row[key]?.string ?? "" }
      return Case(
        name: text("name"), kind: text("kind"), reason: text("reason"), target: text("target"),
        path: Path.join(folder, text("path")), isValid: text("verdict") == "valid")
    }
  }
}
