import ByteIO
import JSON

/// How a file of a model differs from what was written down of it.
public struct FileMismatch: Sendable, Equatable, CustomStringConvertible {
  public enum Kind: String, Sendable {
    /// Not there.
    case missing
    /// There, and not written down.
    case extra
    /// Other bytes.
    case changed
  }

  public var name: String
  public var kind: Kind
  /// Bytes in the chunks that differ, as far as chunks locate it; of a file that is too short, those that lack.
  public var ranges: [Range<Int>] = []
  /// The size that was written down, if another was found.
  public var size: (expected: Int, found: Int)?

  public static func == (left: FileMismatch, right: FileMismatch) -> Bool {
    left.name == right.name && left.kind == right.kind && left.ranges == right.ranges
      && left.size?.expected == right.size?.expected && left.size?.found == right.size?.found
  }

  public var description: String {
    switch kind {
    case .missing: return "'\(name)' is missing"
    case .extra: return "'\(name)' is not among the files that were written down"
    case .changed:
      let places = ranges.map { "\($0.lowerBound) to \($0.upperBound - 1)" }.joined(separator: ", ")
      let sizes = size.map { " (\($0.found) bytes in place of \($0.expected))" } ?? ""
      return "'\(name)' has changed\(sizes)\(places.isEmpty ? "" : ": bytes \(places)")"
    }
  }

  /// What differs between digests written down and found, by name.
  /// - Parameter chunkSize: that of the digests of chunks, if they have some.
  public static func all(expected: [FileDigest], found: [FileDigest], chunkSize: Int? = nil) -> [FileMismatch] {
    let byName = Dictionary(found.map { (ExactString($0.name), $0) }) { first, _ in first }
    let known = Set(expected.map { ExactString($0.name) })
    let differing = expected.compactMap { file -> FileMismatch? in
      guard let other = byName[ExactString(file.name)] else { return FileMismatch(name: file.name, kind: .missing) }
      guard other.sha256 != file.sha256 else { return nil }
      return FileMismatch(
        name: file.name, kind: .changed, ranges: chunkSize.map { ranges(file, other, $0) } ?? [],
        size: chunkSize == nil || other.size == file.size ? nil : (file.size, other.size))
    }
    let extra = found.filter { !known.contains(ExactString($0.name)) }.map { FileMismatch(name: $0.name, kind: .extra) }
    return (differing + extra).sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  private static func ranges(_ file: FileDigest, _ other: FileDigest, _ chunkSize: Int) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    for index in file.chunks.indices where index >= other.chunks.count || other.chunks[index] != file.chunks[index] {
      let range = index * chunkSize..<min((index + 1) * chunkSize, file.size)
      if let last = ranges.last, last.upperBound == range.lowerBound {
        ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
      } else {
        ranges.append(range)
      }
    }
    return ranges
  }
}
