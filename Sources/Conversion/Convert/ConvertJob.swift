import ByteIO
import Checkpoints
import Codecs
import Pipeline

/// Writes safetensors or GGUF files as a plan says: every byte once, at its place, from any thread.
public struct ConvertJob: Sendable {
  let checkpoint: any Checkpoint
  let plan: ConvertPlan

  public init(_ checkpoint: any Checkpoint, plan: ConvertPlan) {
    self.checkpoint = checkpoint
    self.plan = plan
  }

  /// Converts. `destination` is the output file, or the directory of several. Throws the errors of reading, encoding
  /// and writing; the destination then holds what it held before. Of a resumable run that a failing system call or the
  /// end of the process interrupts, what is done stays beside it, and another run of the same plan goes on there.
  public func run(
    to destination: ConvertDestination, resources: Resources, progress: @escaping ProgressHandler
  ) throws -> ConvertReport {
    let runs = plan.outputs.map(run)
    let units = SpanUnits(runs)
    let journal =
      destination.isResumable
      ? try Journal(of: destination.path, plan: plan.digest(of: checkpoint, pieces: units.count)) : nil
    let isComplete = journal.map { $0.done.count == units.count && units.count > 0 } ?? false
    let files: OutputFiles
    do {
      files = try OutputFiles(destination, plan: plan, isComplete: isComplete)
    } catch {
      if let journal, journal.done.isEmpty { journal.remove() }
      throw error
    }
    do {
      for (index, file) in plan.files.enumerated() { try files.tensors[index].write(file.header, at: 0) }
      let statistics = try write(units, runs, to: files, journal, resources, progress)
      try finish(files)
      journal?.remove()
      return ConvertReport(plan: plan, statistics: statistics)
    } catch {
      // What a system call has stopped can go on; a fault of the source can't.
      if journal != nil && !(error is IOError) {
        files.remove()
        journal?.remove()
      }
      throw error
    }
  }

  /// Writes all tensors, or those that an earlier run has left.
  private func write(
    _ units: SpanUnits, _ runs: [SpanUnits.Run], to files: OutputFiles, _ journal: Journal?,
    _ resources: Resources, _ progress: @escaping ProgressHandler
  ) throws -> [ErrorStatistics] {
    let done = files.isContinued ? (journal?.done ?? []).compactMap { ErrorStatistics($0) } : []
    if let journal, done.isEmpty { try journal.clear() }
    let state = ConvertProgress(
      outputs: plan.outputs.count, files: files, journal: journal, written: done.count, interval: resources.memory)
    for (index, cost) in done.enumerated() { state.recall(cost, output: units[index].run) }
    let meter = Monitor(done.indices.reduce(0) { $0 + bytes(of: units[$1]) })
    let total = plan.bytesToWrite
    let converters = try plan.outputs.map {
      try TensorConverter(
        checkpoint, tensor: $0.source, to: $0.codec, rule: $0.rule, measured: $0.isQuantized,
        importance: $0.importance)
    }
    try OrderedPipeline.run(
      count: units.count - done.count, threads: resources.threads,
      window: resources.window(itemBytes: zip(plan.outputs, runs).map(bytes).max() ?? 0)
    ) { index in
      try write(units[done.count + index], with: converters, to: files)
    } consume: { index, product in
      try state.add(product.0, bytes: product.1, output: units[done.count + index].run)
      let bytes = meter.withLock { sum in
        sum += product.1
        return sum
      }
      progress(Progress(bytesDone: bytes, bytesTotal: total))
    }
    try state.save()
    return state.statistics
  }

  /// Adds the files that travel along, and gives all their names.
  private func finish(_ files: OutputFiles) throws {
    for sidecar in plan.sidecars { try files.add(sidecar.name, try checkpoint.read(0..<sidecar.size, of: sidecar)) }
    for made in plan.made { try files.add(made.name, made.bytes) }
    try checkpoint.checkUnchanged()
    try files.commit()
  }

  /// Bytes that a unit takes in the output.
  private func bytes(of unit: SpanUnits.Unit) -> Int {
    let output = plan.outputs[unit.run]
    return output.codec.bytes(plane: 0, elements: unit.elements.count, columns: output.shape.columns)
  }

  /// How an output is cut. What is copied takes no memory: its pieces are larger, to cost fewer calls.
  private func run(_ output: ConvertPlan.Output) -> SpanUnits.Run {
    let span = SpanRule.elements(
      [output.sourceCodec, output.codec], columns: output.shape.columns, wholeRows: output.importance != nil)
    return SpanUnits.Run(elements: output.shape.elements, span: span * (isCopied(output) ? 16 : 1))
  }

  /// Bytes that a unit of an output keeps in memory.
  private func bytes(_ output: ConvertPlan.Output, _ run: SpanUnits.Run) -> Int {
    if isCopied(output) { return 0 }
    return [output.sourceCodec, output.codec].reduce(0) {
      $0 + $1.byteCount(elements: min(run.span, run.elements), columns: output.shape.columns)
    }
  }

  private func isCopied(_ output: ConvertPlan.Output) -> Bool {
    output.isCopy && !output.isChecked && checkpoint is any FileCheckpoint
  }

  private func write(
    _ unit: SpanUnits.Unit, with converters: [TensorConverter], to files: OutputFiles
  ) throws -> (ErrorStatistics, Int) {
    let output = plan.outputs[unit.run]
    let file = files.tensors[output.file]
    let columns = output.shape.columns
    let start = output.codec.bytes(plane: 0, elements: unit.elements.lowerBound, columns: columns)
    let offset = output.range.lowerBound + start
    if let (source, range) = copied(output, unit) {
      try file.copy(range, of: source, to: offset)
      return (ErrorStatistics(), range.count)
    }
    do {
      let (encoded, cost) = try converters[unit.run].convert(unit.elements)
      let plane = encoded.onlyPlane
      if output.isChecked {
        try plane.withBytes { try FiniteCheck.run($0, as: output.codec, at: unit.elements.lowerBound) }
      }
      try plane.withBytes { try file.write($0, at: offset) }
      return (cost, plane.count)
    } catch let error as CodecError {
      throw TensorError(tensor: output.name, file: checkpoint.path, error: error)
    }
  }

  /// The source's bytes of a unit, where they lie in a file as the output wants them.
  private func copied(_ output: ConvertPlan.Output, _ unit: SpanUnits.Unit) -> (InputFile, Range<Int>)? {
    guard let files = checkpoint as? any FileCheckpoint, isCopied(output) else { return nil }
    let location = files.locations[output.source][0]
    let columns = output.shape.columns
    let start =
      location.range.lowerBound
      + output.codec.bytes(
        plane: 0, elements: unit.elements.lowerBound, columns: columns)
    let count = output.codec.bytes(plane: 0, elements: unit.elements.count, columns: columns)
    return (files.tensorFiles[location.file].file, start..<start + count)
  }
}

/// What converting came to.
public struct ConvertReport: Sendable {
  public var plan: ConvertPlan
  /// What quantizing cost, by output.
  public var statistics: [ErrorStatistics]
}

extension ConvertPlan.Output {
  /// True if the bytes are those of the source.
  var isCopy: Bool { sourceCodec.descriptor == codec.descriptor }

  /// True if codes become plain values.
  public var isDecoded: Bool {
    codec is PlainCodec && !(sourceCodec is PlainCodec) && !Transcoder.isExact(from: sourceCodec, to: codec)
  }

  /// True if values are rounded on the way, so that the cost is worth telling.
  public var isQuantized: Bool { !Transcoder.isExact(from: sourceCodec, to: codec) && !(codec is PlainCodec) }
}
