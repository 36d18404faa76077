import ByteIO

/// Counts what a directory will hold, to know its length before it is built.
struct DirectorySize {
  private(set) var counts: [SectionTag: Int] = [:]
  private var encodings: Set<String> = []
  private var arrangements: Set<String> = []
  private let hasSHA256: Bool

  init(hasSHA256: Bool) { self.hasSHA256 = hasSHA256 }

  mutating func addTensor(_ tensor: TensorDeclaration) {
    counts[.strings, default: 0] += tensor.name.utf8.count
    counts[.tensors, default: 0] += 1
    counts[.dimensions, default: 0] += tensor.shape.rank
    if encodings.insert(tensor.encoding).inserted {
      counts[.strings, default: 0] += tensor.encoding.utf8.count
      counts[.encodings, default: 0] += 1
    }
  }

  mutating func addRecord(parts: Int, planes: Int, chunks: Int) {
    counts[.records, default: 0] += 1
    counts[.parts, default: 0] += parts
    counts[.planes, default: 0] += planes
    counts[.chunks, default: 0] += chunks
    if hasSHA256 { counts[.sha256, default: 0] += chunks }
  }

  mutating func addFile(name: String, segments: [WrittenSegment]) {
    counts[.strings, default: 0] += name.utf8.count
    counts[.files, default: 0] += 1
    counts[.segments, default: 0] += segments.count
    for case .layout(let text, _, _) in segments where arrangements.insert(text).inserted {
      counts[.strings, default: 0] += text.utf8.count
    }
  }

  mutating func addMetadata(_ count: Int) { counts[.metadata, default: 0] += count }

  mutating func addShard() { counts[.shard] = 1 }

  /// Bytes of the directory.
  var length: Int {
    let tags = SectionTag.allCases.filter { $0.isMandatory || counts[$0] != nil || $0 == .sha256 && hasSHA256 }
    let lengths = tags.map { (counts[$0] ?? 0) * $0.rowLength }
    return DirectorySections.length(of: lengths)
  }
}
