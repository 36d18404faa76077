/// The four letters that name a section of the directory.
enum SectionTag: String, CaseIterable {
  case strings = "STRS"
  case tensors = "TENS"
  case dimensions = "DIMS"
  case parts = "PART"
  case records = "RECD"
  case planes = "PLAN"
  case chunks = "CHNK"
  case encodings = "ENCD"
  case metadata = "META"
  case files = "FILE"
  case segments = "SEGM"
  case shard = "SHRD"
  case sha256 = "SHA2"

  /// Bytes of a row, 1 where the section is not a table.
  var rowLength: Int {
    switch self {
    case .strings, .metadata: 1
    case .tensors: TensorRow.length
    case .dimensions: 8
    case .parts: PartRow.length
    case .records: RecordRow.length
    case .planes: PlaneRow.length
    case .chunks: ChunkRow.length
    case .encodings: TextReference.length
    case .files: FileRow.length
    case .segments: SegmentRow.length
    case .shard: ShardRow.length
    case .sha256: 32
    }
  }

  /// True for the sections that every directory has.
  var isMandatory: Bool { self != .shard && self != .sha256 }

  /// True for the sections that a reader must understand.
  var isRequired: Bool { self != .sha256 }
}
