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
  /// A layout, or the layout of a tensor, that was recognised and can't be read: such tensors are listed as they are
  /// stored.
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
    var (logical, refusal) = ([LogicalTensor](), UnreadableLayout(scan))
    if refusal == nil { (logical, refusal) = try Self.recognise(scan, layouts) }
    for index in logical.indices { logical[index].codec = arithmetic.codec(logical[index].codec) }
    self.init(scan, logical: logical, refusal: refusal)
  }

  private init(_ scan: StoredTensors, logical: [LogicalTensor], refusal: UnreadableLayout?) {
    let stored = scan.checkpoint
    self.stored = stored
    self.scan = scan
    self.refusal = refusal
    self.logical = logical
    // Each where the first of its members is stored; what has none, whose bytes were all made, at the end.
    var firsts: [Int: [Int]] = [:]
    var taken: Set<Int> = []
    for (index, tensor) in logical.enumerated() {
      let members = tensor.members.map(\.index)
      taken.formUnion(members)
      firsts[members.min() ?? stored.tensors.count, default: []].append(index)
    }
    var (tensors, entries, roles) = ([CheckpointTensor](), [Entry](), [Int: StoredRole]())
    for index in 0...stored.tensors.count {
      if index < stored.tensors.count, !taken.contains(index) {
        roles[index] = .itself(tensors.count)
        tensors.append(stored.tensors[index])
        entries.append(.stored(index))
      }
      for seen in firsts[index] ?? [] {
        Self.note(logical[seen], at: tensors.count, in: &roles)
        tensors.append(Self.entry(logical[seen], in: stored))
        entries.append(.logical(seen))
      }
    }
    (self.tensors, self.entries, self.roles) = (tensors, entries, roles)
  }

  /// The same for an archive: float weights that don't lie on their grid stay floats, as the codes that they round to
  /// wouldn't bring them back. This reads the weights that have a grid. Throws `IOError` or `CodecError`.
  public func archived() throws -> LayoutCheckpoint {
    let kept = try logical.filter { tensor in
      guard case .quantized(let weight, _)? = tensor.planes.first,
        case .plane(let index, let form)? = roles[weight.index]
      else { return true }
      return try restores(weight.index, index, form)
    }
    return kept.count == logical.count ? self : LayoutCheckpoint(scan, logical: kept, refusal: refusal)
  }

  /// What the layouts see, and the first tensor that can't be read as values: it stays as it is stored, and so does
  /// everything where a layout as a whole can't be read.
  private static func recognise(
    _ scan: StoredTensors, _ layouts: [any Layout]
  ) throws -> (found: [LogicalTensor], refusal: UnreadableLayout?) {
    var (found, refusal) = ([LogicalTensor](), UnreadableLayout?.none)
    var taken: Set<Int> = []
    for layout in layouts {
      let seen: [LogicalTensor]
      do { seen = try layout.tensors(in: scan) } catch let error as LayoutError {
        guard let refusal = UnreadableLayout(error) else { throw error }
        return ([], refusal)
      }
      for tensor in seen {
        let members = Set(tensor.members.map(\.index))
        guard taken.isDisjoint(with: members) else { continue }
        taken.formUnion(members)
        if let error = tensor.refusal ?? scan.transform(of: tensor) {
          refusal = refusal ?? UnreadableLayout(error)
        } else {
          try check(tensor, scan)
          found.append(tensor)
        }
      }
    }
    return (found, refusal)
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
      // Its codes are made as many as the encoding asks for.
      case .quantized: continue
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
      switch source {
      case .bytes: continue
      case .stored(let member, let form):
        roles[member.index] = .plane(tensor: position, Arrangement(plane: plane, form: form))
      case .quantized(let member, let grid):
        roles[member.index] = .plane(tensor: position, Arrangement(plane: plane, form: .values(grid.dtype)))
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
      case .quantized(let member, let grid):
        try quantize(scan.bytes(member), elements, on: grid, into: buffer)
      case .stored(let member, let form):
        let bytes = BandedBytes(bytes: scan.bytes(member), member: member.index, bands: bands)
        try Arrangement(plane: plane, form: form).readPlane(at: start, into: buffer, from: bytes)
      }
    }
    return planes.map(\.count)
  }

  /// Codes of a run of float weights.
  private func quantize(
    _ weights: StoredBytes, _ elements: Range<Int>, on grid: QuantizationGrid,
    into buffer: UnsafeMutableRawBufferPointer
  ) throws {
    let width = grid.dtype.bits / 8
    let stored = try weights.buffer(elements.lowerBound * width..<elements.upperBound * width)
    let floats = ByteBuffer(count: elements.count * MemoryLayout<Float>.size)
    try floats.withMutableBytes { floats in
      let values = floats.bindMemory(to: Float.self)
      try stored.withBytes { try Elements.decode(grid.dtype, $0, into: values) }
      grid.pack(UnsafeBufferPointer(values), from: elements.lowerBound, into: buffer)
    }
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
    let plane = arrangement.source(self, tensor: tensor)
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
