import BaleFormat
import ByteIO
import Checkpoints
import Codecs
import Compression
import JSON

/// Hands what was packed to the writer, in order, and keeps what has to be said at the end.
final class PackOutput: @unchecked Sendable {
  // Called by one thread at a time: the pipeline's consumer, then the job itself.
  private let writer: BaleWriter
  private let checkpoint: any Checkpoint
  private let plan: PackPlan
  private let ids: [TensorID]
  /// For each file that holds more than tensors' bytes, its literal bytes, one after the other.
  private var blobs: [ExactString: BlobID] = [:]
  /// What quantizing cost, by tensor of the plan.
  private(set) var statistics: [ErrorStatistics]
  private(set) var outputErrors: [OutputError]
  /// Bytes of the chunks, by tensor of the plan.
  private(set) var storedBytes: [Int]
  /// Writes down the records that are done, where the run can be continued.
  private let progress: PackProgress?

  /// Declares all tensors, and writes the files' bytes that belong to none.
  init(_ writer: BaleWriter, checkpoint: any Checkpoint, plan: PackPlan, archive: Bool, progress: PackProgress?) throws
  {
    self.writer = writer
    self.progress = progress
    self.checkpoint = checkpoint
    self.plan = plan
    ids = try plan.tensors.map { try writer.declare(Self.declaration($0)) }
    statistics = Array(repeating: ErrorStatistics(), count: plan.tensors.count)
    outputErrors = Array(repeating: OutputError(), count: plan.tensors.count)
    storedBytes = Array(repeating: 0, count: plan.tensors.count)
    let compressor = CompressorPool()
    for file in checkpoint.files {
      let literals = try Self.literals(of: file, in: checkpoint)
      if literals.isEmpty { continue }
      blobs[ExactString(file.name)] = try writer.addBlob(
        literals, compress: archive ? { try compressor.compress($0, .level(9)).withBytes { Array($0) } } : nil)
    }
  }

  static func declaration(_ tensor: PackPlan.Tensor) -> TensorDeclaration {
    TensorDeclaration(
      name: tensor.name, dtype: tensor.sourceDType, shape: tensor.shape,
      encoding: "\(tensor.codec.descriptor)", isLossless: tensor.isExact && tensor.sourceError == nil)
  }

  private static func literals(of file: CheckpointFile, in checkpoint: any Checkpoint) throws -> [UInt8] {
    try checkpoint.segments(of: file).reduce(into: []) { bytes, segment in
      if case .literal(let range) = segment { bytes += try checkpoint.read(range, of: file) }
    }
  }

  /// Takes the next unit, of part number `part` of a record.
  func take(_ product: PackProduct, unit: SpanUnits.Unit, record index: Int, part: Int) throws {
    let record = plan.records[index]
    if part == 0 && unit.span == 0 { try writer.beginRecord(record.kind, parts: declarations(record)) }
    for chunk in product.chunks { try writer.append(chunk, part: part) }
    let tensor = record.parts[part].tensor
    statistics[tensor].merge(product.statistics)
    outputErrors[tensor].merge(product.outputError)
    storedBytes[tensor] += product.chunks.reduce(0) { $0 + $1.storedBytes }
    guard part == record.parts.count - 1 && unit.isLast else { return }
    let written = try writer.endRecord()
    try progress?.add(DoneRecord(written: written, costs: record.parts.map { cost($0.tensor) })) {
      try writer.flush()
    }
  }

  /// Writes down that all records are done.
  func save() throws { try progress?.save { try writer.flush() } }

  /// Takes a record that an earlier run has written. Throws `BaleWriterError.order` if it isn't one of this plan.
  func recall(_ done: DoneRecord, record index: Int) throws {
    let record = plan.records[index]
    guard done.costs.count == record.parts.count else { throw BaleWriterError.order("repeatRecord") }
    try writer.repeatRecord(done.written, record.kind, parts: declarations(record))
    for (part, cost) in zip(record.parts, done.costs) {
      statistics[part.tensor] = cost.statistics
      outputErrors[part.tensor] = cost.outputError
      storedBytes[part.tensor] = cost.storedBytes
    }
  }

  private func declarations(_ record: PackPlan.Record) -> [PartDeclaration] {
    record.parts.map { PartDeclaration(tensor: ids[$0.tensor], range: $0.slices, layout: $0.layout) }
  }

  /// What a tensor has come to so far.
  private func cost(_ tensor: Int) -> DoneRecord.Cost {
    DoneRecord.Cost(
      statistics: statistics[tensor], outputError: outputErrors[tensor], storedBytes: storedBytes[tensor])
  }

  /// Records errors and original files, when all tensors are written.
  func addFiles(digests: [ExactString: [UInt8]]) throws {
    for (index, tensor) in plan.tensors.enumerated() {
      let cost = statistics[index]
      if tensor.isShared { continue }
      if !tensor.isExact {
        try writer.setError(ids[index], relativeMSE: cost.relativeMSE, maximum: cost.maximumError)
      } else if let error = tensor.sourceError {
        try writer.setError(ids[index], relativeMSE: error.relativeMSE, maximum: error.maximumError)
      }
    }
    let positions = Dictionary(
      uniqueKeysWithValues: plan.tensors.enumerated().filter { !$1.isShared }.map { ($1.source, $0) })
    for file in checkpoint.files {
      guard let segments = try segments(of: file, positions: positions), let digest = digests[ExactString(file.name)]
      else {
        continue
      }
      try writer.addFile(name: file.name, size: file.size, sha256: digest, segments: segments)
    }
  }

  /// Where the bytes of a file come from; nil if a tensor of it was dropped, or isn't stored in a form that leads
  /// back to the source's.
  private func segments(of file: CheckpointFile, positions: [Int: Int]) throws -> [WrittenSegment]? {
    var segments: [WrittenSegment] = []
    var literal = 0
    for segment in try checkpoint.segments(of: file) {
      switch segment {
      case .zeros(let count): segments.append(.zeros(count))
      case .literal(let range):
        guard let blob = blobs[ExactString(file.name)] else { return nil }
        segments.append(.blob(blob, literal..<literal + range.count))
        literal += range.count
      case .tensor(let tensor, let range):
        guard let position = positions[tensor], plan.tensors[position].leadsBack else { return nil }
        segments.append(.tensor(ids[position], range))
      case .layout(let arrangement, let tensor, let range):
        guard let position = positions[tensor], plan.tensors[position].keepsEncoding else { return nil }
        segments.append(.layout(arrangement, ids[position], range))
      case .swapped(let tensor, let range):
        guard let position = positions[tensor], plan.tensors[position].leadsBack else { return nil }
        segments.append(.layout(BigEndianGGUFCheckpoint.layout, ids[position], range))
      }
    }
    return segments
  }
}

extension PackPlan.Tensor {
  /// True if the form that the original file has can be made from what is stored: the values in their plain dtype, or
  /// the same encoding.
  var leadsBack: Bool { sourceDType != nil || keepsEncoding }

  /// True if the planes are those of the source.
  var keepsEncoding: Bool { sourceCodec.descriptor == codec.descriptor }
}
