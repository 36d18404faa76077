import ByteIO
import Checkpoints
import Codecs
import Pipeline
import Tensors

/// A checkpoint of files seen through the layouts of other libraries: its tensors are the logical ones, each in one
/// encoding; what belongs to no layout is as it was.
public struct LayoutCheckpoint: CheckpointView {
  public let stored: any FileCheckpoint
  public var source: any Checkpoint { stored }
  public let tensors: [CheckpointTensor]
  /// The tensors that were seen, in the order of `tensors`.
  public let logical: [LogicalTensor]
  /// A layout that was recognised and can't be read: its tensors are listed as they are stored.
  public let refusal: UnreadableLayout?
  private let scan: StoredTensors
  private let entries: [Entry]
  private let roles: [Int: StoredRole]
  private let restorable = Monitor([Int: Bool]())
  private let bands = StoredBands()

  private enum Entry: Sendable {
    /// A tensor of the files.
    case stored(Int)
    /// One of `logical`.
    case logical(Int)
  }

  /// What a stored tensor has become.
  private enum StoredRole: Sendable {
    case itself(Int)
    case plane(tensor: Int, Arrangement)
    case companion
  }

  /// Recognises the layouts. Throws `LayoutError` or `IOError`.
  public init(
    _ stored: any FileCheckpoint, layouts: [any Layout] = Layouts.all, arithmetic: Arithmetic = .exact
  ) throws {
    let scan = try StoredTensors(stored)
    let refusal = UnreadableLayout(scan)
    self.stored = stored
    self.scan = scan
    self.refusal = refusal
    var logical = refusal == nil ? try Self.recognise(scan, layouts) : []
    for index in logical.indices { logical[index].codec = arithmetic.codec(logical[index].codec) }
    self.logical = logical
    var firsts: [Int: Int] = [:]
    var taken: Set<Int> = []
    for (index, tensor) in logical.enumerated() {
      let members = tensor.members.map(\.index)
      taken.formUnion(members)
      firsts[members.min() ?? 0] = index
    }
    var (tensors, entries, roles) = ([CheckpointTensor](), [Entry](), [Int: StoredRole]())
    for (index, tensor) in stored.tensors.enumerated() {
      if !taken.contains(index) {
        roles[index] = .itself(tensors.count)
        tensors.append(tensor)
        entries.append(.stored(index))
      }
      guard let seen = firsts[index] else { continue }
      Self.note(logical[seen], at: tensors.count, in: &roles)
      tensors.append(Self.entry(logical[seen], in: stored))
      entries.append(.logical(seen))
    }
    (self.tensors, self.entries, self.roles) = (tensors, entries, roles)
  }

  private static func recognise(_ scan: StoredTensors, _ layouts: [any Layout]) throws -> [LogicalTensor] {
    var found: [LogicalTensor] = []
    var taken: Set<Int> = []
    for layout in layouts {
      for tensor in try layout.tensors(in: scan) {
        let members = Set(tensor.members.map(\.index))
        guard taken.isDisjoint(with: members), !members.isEmpty else { continue }
        try check(tensor, scan)
        try scan.refuseTransforms(tensor)
        taken.formUnion(members)
        found.append(tensor)
      }
    }
    return found
  }

  /// Every plane must have the bytes that the encoding gives it: the last line against a layout's wrong idea.
  private static func check(_ tensor: LogicalTensor, _ scan: StoredTensors) throws {
    try scan.naming(tensor.name) { () throws(CodecError) in try tensor.codec.check(tensor.shape) }
    for (plane, source) in tensor.planes.enumerated() {
      let wanted = tensor.codec.bytes(
        plane: plane, elements: tensor.shape.elements, columns: tensor.shape.columns)
      switch source {
      case .bytes(let bytes):
        guard bytes.count == wanted else { throw scan.fault(.value("a plane of \(bytes.count) bytes"), tensor.name) }
      case .stored(let member, let form):
        let count = scan.bytes(member).count
        let sizes = Arrangement(plane: plane, form: form).sizes ?? (count, count)
        guard sizes == (count, wanted) else {
          throw scan.fault(
            .shape(stored: member.name, found: member.shape, expected: "what makes \(tensor.shape)"), tensor.name)
        }
      }
    }
  }

  private static func note(_ tensor: LogicalTensor, at position: Int, in roles: inout [Int: StoredRole]) {
    for companion in tensor.companions { roles[companion.index] = .companion }
    for (plane, source) in tensor.planes.enumerated() {
      if case .stored(let member, let form) = source {
        roles[member.index] = .plane(tensor: position, Arrangement(plane: plane, form: form))
      }
    }
  }

  private static func entry(_ tensor: LogicalTensor, in stored: any FileCheckpoint) -> CheckpointTensor {
    var entry = CheckpointTensor(
      name: tensor.name, shape: tensor.shape, codec: tensor.codec,
      storedBytes: tensor.members.reduce(0) { $0 + stored.tensors[$1.index].storedBytes })
    entry.layout = tensor.layout
    return entry
  }

  /// The directory of the files.
  public var directory: String { stored.directory }

  public func read(
    _ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    guard case .logical(let index) = entries[tensor] else {
      guard case .stored(let index) = entries[tensor] else { return [] }
      return try stored.read(index, elements: elements, into: planes)
    }
    let seen = logical[index]
    for (plane, buffer) in planes.enumerated() {
      let whole = seen.codec.planes[plane].extent == .whole
      let start =
        whole ? 0 : seen.codec.bytes(plane: plane, elements: elements.lowerBound, columns: seen.shape.columns)
      switch seen.planes[plane] {
      case .bytes(let bytes): buffer.copyBytes(from: bytes[start..<start + buffer.count])
      case .stored(let member, let form):
        let bytes = BandedBytes(bytes: scan.bytes(member), member: member.index, bands: bands)
        try Arrangement(plane: plane, form: form).readPlane(at: start, into: buffer, from: bytes)
      }
    }
    return planes.map(\.count)
  }

  /// The bytes of a file: those of a stored tensor that became a plane come from the logical one, if they can be made
  /// from it again, and else are literal, like those of tensors that only describe others.
  public func segments(of file: CheckpointFile) throws -> [SourceSegment] {
    var end = 0
    return try stored.segments(of: file).map { segment in
      defer { end += segment.count }
      guard case .tensor(let index, let range) = segment else { return segment }
      switch roles[index] {
      case .itself(let position)?: return .tensor(position, range)
      case .plane(let tensor, let arrangement)? where try restores(index, tensor, arrangement):
        return .layout("\(arrangement.descriptor)", tensor: tensor, range)
      default: return .literal(end..<end + segment.count)
      }
    }
  }

  /// True if the bytes of a stored tensor come back from its plane. Where some of its bits belong to no field, that is
  /// found out by doing it, once.
  private func restores(_ member: Int, _ tensor: Int, _ arrangement: Arrangement) throws -> Bool {
    if arrangement.isBijective { return true }
    if let known = restorable.withLock({ $0[member] }) { return known }
    let location = stored.locations[member][0]
    let original = StoredBytes(stored.tensorFiles[location.file].file, location.range)
    let plane = PlaneBytes(self, tensor: tensor, plane: arrangement.plane)
    var same = true
    for start in stride(from: 0, to: original.count, by: arrangement.pieceBytes) where same {
      let piece = start..<min(start + arrangement.pieceBytes, original.count)
      let made = ByteBuffer(count: piece.count)
      try made.withMutableBytes { try arrangement.restore(at: start, into: $0, from: plane) }
      let wanted = try original.buffer(piece)
      same = made.withBytes { made in wanted.withBytes { bytesAreEqual(made, $0) } }
    }
    let result = same
    restorable.withLock { $0[member] = result }
    return result
  }
}
