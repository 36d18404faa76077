import BaleFormat
import ByteIO
import Checkpoints
import Codecs
import Compression
import Pipeline

/// Writes a `.bale` file as a plan says.
public struct PackJob: Sendable {
  let checkpoint: any Checkpoint
  let plan: PackPlan
  let options: PackOptions

  public init(_ checkpoint: any Checkpoint, plan: PackPlan, options: PackOptions) {
    self.checkpoint = checkpoint
    self.plan = plan
    self.options = options
  }

  /// Packs. Reads and encodes on all threads, writes in order, and hashes the source's files beside. Throws the
  /// source's, codecs' and writer's errors; nothing is then left at `path`. Of a run that can be continued and that a
  /// failing system call or the end of the process interrupts, what is done stays beside it.
  public func run(
    to path: String, resources: Resources, progress: @escaping ProgressHandler
  ) throws -> PackReport {
    let journal = try options.resume.map { _ in
      try Journal(of: path, plan: plan.digest(of: checkpoint, options: options))
    }
    let done = try done(journal, path)
    let writer: BaleWriter
    do {
      writer = try BaleWriter(path, options: options.writer)
    } catch {
      if done.isEmpty { journal?.remove() }
      throw error
    }
    do {
      let report = try pack(by: writer, journal, done, resources, progress)
      journal?.remove()
      return report
    } catch {
      // What a system call has stopped can go on; a fault of the source can't.
      if journal != nil && !(error is IOError) {
        writer.remove()
        journal?.remove()
      }
      throw error
    }
  }

  /// The records that an earlier run has packed, if their bytes are still there.
  private func done(_ journal: Journal?, _ path: String) throws -> [DoneRecord] {
    guard let journal else { return [] }
    let done = journal.done.compactMap { DoneRecord($0) }
    // Interrupted while files were being named: those named are taken back.
    if done.count == plan.records.count { BaleWriter.takeBack(done.map(\.written), at: path) }
    if done.count == journal.done.count, BaleWriter.hasKept(done.map(\.written), at: path) { return done }
    try journal.clear()
    return []
  }

  private func pack(
    by writer: BaleWriter, _ journal: Journal?, _ done: [DoneRecord], _ resources: Resources,
    _ progress: @escaping ProgressHandler
  ) throws -> PackReport {
    let digests = FileDigests(checkpoint)
    let hashing = BackgroundWork { try digests.run(threads: resources.threads) }
    let output: PackOutput
    do {
      let interval = options.resume?.interval ?? .zero
      output = try PackOutput(
        writer, checkpoint: checkpoint, plan: plan, archive: options.isArchive,
        progress: journal.map { PackProgress($0, written: done.count, interval: interval) })
      for (index, record) in done.enumerated() { try output.recall(record, record: index) }
      try write(to: output, after: done.count, resources: resources, progress: progress)
      try output.save()
    } catch {
      digests.cancel()
      _ = try? hashing.wait()
      throw error
    }
    try hashing.wait()
    try checkpoint.checkUnchanged()
    try output.addFiles(digests: digests.results)
    return PackReport(
      plan: plan, statistics: output.statistics, outputErrors: output.outputErrors, storedBytes: output.storedBytes,
      written: try writer.commit())
  }

  /// Packs the records from number `first` on.
  private func write(
    to output: PackOutput, after first: Int, resources: Resources, progress: @escaping ProgressHandler
  ) throws {
    let places = plan.parts.filter { $0.record >= first }
    let units = SpanUnits(
      places.map {
        let part = plan.records[$0.record].parts[$0.part]
        let isProduced = plan.tensors[part.tensor].producer != nil
        return SpanUnits.Run(
          elements: part.layout.elements, span: isProduced ? max(part.layout.elements, 1) : part.layout.spanElements)
      })
    let converters = try makeConverters(resources)
    let compressors = CompressorPool()
    let total = plan.sourceBytes
    let done = Monitor(plan.sourceBytes(ofRecords: 0..<first))
    let window = resources.window(itemBytes: plan.largestUnit)
    let threadsEach = max(1, resources.threads / window)
    try OrderedPipeline.run(count: units.count, threads: resources.threads, window: window) { index in
      let unit = units[index]
      let part = plan.records[places[unit.run].record].parts[places[unit.run].part]
      if let producer = plan.tensors[part.tensor].producer, !unit.elements.isEmpty {
        return try make(part, by: producer, threads: threadsEach, compressors)
      }
      return try make(unit, part, converters, compressors)
    } consume: { index, product in
      let unit = units[index]
      try output.take(product, unit: unit, record: places[unit.run].record, part: places[unit.run].part)
      let bytes = done.withLock { sum in
        sum += product.sourceBytes
        return sum
      }
      progress(Progress(bytesDone: bytes, bytesTotal: total))
    }
  }

  private func makeConverters(_ resources: Resources) throws -> [TensorConverter] {
    try plan.tensors.map { tensor in
      // A producer has no use for a converter: this one copies.
      let target = tensor.producer == nil ? tensor.codec : tensor.sourceCodec
      var converter = try TensorConverter(
        checkpoint, tensor: tensor.source, to: target, rule: tensor.rule, measured: true)
      try converter.gatherStatistics(resources)
      return converter
    }
  }

  /// Reads, encodes, compresses and digests one span of one part.
  private func make(
    _ unit: SpanUnits.Unit, _ part: PackPlan.Part, _ converters: [TensorConverter], _ compressors: CompressorPool
  ) throws -> PackProduct {
    if unit.elements.isEmpty { return PackProduct() }
    let tensor = plan.tensors[part.tensor]
    let start = part.elements.lowerBound
    let range = start + unit.elements.lowerBound..<start + unit.elements.upperBound
    do {
      let (encoded, cost) = try converters[part.tensor].convert(range)
      var product = PackProduct(
        statistics: cost,
        sourceBytes: tensor.sourceCodec.byteCount(elements: range.count, columns: tensor.shape.columns))
      for plane in part.layout.planes.indices {
        product.chunks += try chunks(
          of: encoded, tensor.codec, plane: plane, unit: unit, layout: part.layout, compressors)
      }
      return product
    } catch let error as CodecError {
      throw TensorError(tensor: tensor.name, file: checkpoint.path, error: error)
    }
  }

  /// Makes a whole part.
  private func make(
    _ part: PackPlan.Part, by producer: any PartProducer, threads: Int, _ compressors: CompressorPool
  ) throws -> PackProduct {
    let tensor = plan.tensors[part.tensor]
    do {
      let made = try producer.produce(part, of: tensor, from: checkpoint, threads: threads)
      var product = PackProduct(
        statistics: made.statistics, outputError: made.outputError,
        sourceBytes: tensor.sourceCodec.byteCount(elements: part.elements.count, columns: tensor.shape.columns))
      for (plane, layout) in part.layout.planes.enumerated() {
        if layout.extent == .whole {
          product.chunks += try wholeChunks(
            made.wholePlanes[plane], tensor.codec, plane: plane, layout: part.layout, compressors)
          continue
        }
        for (span, planes) in made.spans.enumerated() {
          product.chunks.append(
            try chunk(
              planes[plane].withUnsafeBytes { ByteBuffer(copying: $0) }, tensor.codec, plane: plane, index: span,
              layout: part.layout, compressors))
        }
      }
      return product
    } catch let error as CodecError {
      throw TensorError(tensor: tensor.name, file: checkpoint.path, error: error)
    }
  }

  /// The chunk of a plane that a span makes; of a plane that serves the whole tensor all chunks, with the first span.
  private func chunks(
    of encoded: EncodedBytes, _ codec: any Codec, plane: Int, unit: SpanUnits.Unit, layout: PartLayout,
    _ compressors: CompressorPool
  ) throws -> [EncodedChunk] {
    guard layout.planes[plane].extent == .whole else {
      return [try chunk(encoded.buffer(plane), codec, plane: plane, index: unit.span, layout: layout, compressors)]
    }
    return unit.span == 0 ? try wholeChunks(encoded.bytes(plane), codec, plane: plane, layout: layout, compressors) : []
  }

  private func wholeChunks(
    _ bytes: [UInt8], _ codec: any Codec, plane: Int, layout: PartLayout, _ compressors: CompressorPool
  ) throws -> [EncodedChunk] {
    let size = layout.planes[plane].chunkLength
    return try (0..<layout.planes[plane].chunkCount).map { index in
      let piece = bytes[index * size..<min((index + 1) * size, bytes.count)]
      return try chunk(
        piece.withUnsafeBytes { ByteBuffer(copying: $0) }, codec, plane: plane, index: index, layout: layout,
        compressors)
    }
  }

  private func chunk(
    _ bytes: ByteBuffer, _ codec: any Codec, plane: Int, index: Int, layout: PartLayout, _ compressors: CompressorPool
  ) throws -> EncodedChunk {
    try layout.chunk(plane: plane, index: index, bytes: bytes, sha256: options.sha256) {
      try PlaneCompression.frame($0, of: codec, plane: plane, by: compressors)
    }
  }
}

/// What a unit came to.
struct PackProduct: Sendable {
  var chunks: [EncodedChunk] = []
  var statistics = ErrorStatistics()
  var outputError = OutputError()
  var sourceBytes = 0
}
