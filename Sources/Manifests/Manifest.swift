import ByteIO
import JSON

/// Digests of the files of a model, kept outside them: for formats that carry none (specs/manifest.md).
public struct Manifest: Sendable, Equatable {
  public static let version = 1
  /// Bytes of the chunks whose digests locate damage.
  public static let chunkSize = 4 << 20
  static let smallestChunk = 4096

  public var chunkSize: Int
  /// Names in the model that are left out; of a directory, all below it.
  public var ignored: [String]
  /// By the bytes of their names.
  public var files: [FileDigest]

  public init(chunkSize: Int = Self.chunkSize, ignored: [String] = [], files: [FileDigest]) {
    self.chunkSize = chunkSize
    self.ignored = ignored
    self.files = files
  }

  /// Computes the digests of a model. Throws `IOError` and `SourceChanged`.
  public init(
    of files: ModelFiles, ignored: [String], threads: Int,
    onProgress: @escaping @Sendable (_ done: Int, _ total: Int) -> Void
  ) throws {
    self.init(
      ignored: ignored,
      files: try DigestJob(files.files, chunkSize: Self.chunkSize).run(threads: threads, onProgress: onProgress))
  }

  /// The JSON text, with a newline at the end.
  public var encoded: [UInt8] {
    let value: JSONValue = [
      "bale_manifest": .integer(Self.version), "chunk_size": .integer(chunkSize),
      "ignored": .array(ignored.map { .string($0) }),
      "files": .array(
        files.map {
          [
            "name": .string($0.name), "size": .integer($0.size), "sha256": .string(hexadecimal($0.sha256)),
            "xxh3_64": .array($0.chunks.map { .string(Self.text($0)) }),
          ]
        }),
    ]
    return value.encoded(.python(indent: 1)) + [UInt8(ascii: "\n")]
  }

  /// Reads a manifest. Throws `ManifestError` and `IOError`.
  public init(reading path: String) throws {
    let input = try InputFile(path)
    let bytes = try input.bytes(0..<input.size)
    do throws(ManifestReason) {
      self = try Self.parse(bytes)
    } catch {
      throw ManifestError(error, file: path)
    }
  }

  static func parse(_ bytes: [UInt8]) throws(ManifestReason) -> Manifest {
    let value: JSONValue
    do throws(JSONError) { value = try JSONValue(parsing: bytes) } catch { throw .text(error.reason) }
    guard value["bale_manifest"]?.int == version else { throw .version }
    guard let chunkSize = value["chunk_size"]?.int, chunkSize >= smallestChunk else { throw .member("chunk_size") }
    guard let ignored = value["ignored"]?.array?.map(\.string), ignored.allSatisfy({ $0 != nil }) else {
      throw .member("ignored")
    }
    guard let rows = value["files"]?.array else { throw .member("files") }
    var files: [FileDigest] = []
    var names: Set<ExactString> = []
    for row in rows {
      let file = try file(row, chunkSize: chunkSize)
      guard file.name == "." && rows.count == 1 || Path.isContained(file.name),
        names.insert(ExactString(file.name)).inserted
      else { throw .name(file.name) }
      files.append(file)
    }
    return Manifest(chunkSize: chunkSize, ignored: ignored.compactMap { $0 }, files: files)
  }

  private static func file(_ row: JSONValue, chunkSize: Int) throws(ManifestReason) -> FileDigest {
    guard let name = row["name"]?.string else { throw .member("name") }
    guard let size = row["size"]?.int, size >= 0 else { throw .member("size") }
    guard let sha256 = row["sha256"]?.string.flatMap(bytes(hexadecimal:)), sha256.count == 32 else {
      throw .member("sha256")
    }
    guard let texts = row["xxh3_64"]?.array else { throw .member("xxh3_64") }
    let expected = size.dividedRoundingUp(by: chunkSize)
    guard texts.count == expected else { throw .chunks(file: name, expected: expected, found: texts.count) }
    let chunks = texts.compactMap { $0.string.flatMap(bytes(hexadecimal:)) }.filter { $0.count == 8 }
    guard chunks.count == expected else { throw .member("xxh3_64") }
    return FileDigest(
      name: name, size: size, sha256: sha256, chunks: chunks.map { $0.reduce(0) { $0 << 8 | UInt64($1) } })
  }

  /// Big-endian, as the canonical form of XXH3 has it.
  private static func text(_ digest: UInt64) -> String {
    hexadecimal(stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: digest >> UInt64($0)) })
  }
}

/// The bytes of an even number of hexadecimal digits in lower case; nil for anything else.
public func bytes(hexadecimal text: String) -> [UInt8]? {
  let digits: [UInt8] = text.utf8.compactMap {
    switch $0 {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): $0 - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): $0 - UInt8(ascii: "a") + 10
    default: nil
    }
  }
  guard digits.count == text.utf8.count, digits.count % 2 == 0 else { return nil }
  return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
