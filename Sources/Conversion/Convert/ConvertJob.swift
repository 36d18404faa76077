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
  /// and writing; the destination then holds what it held before.
  public func run(
    to destination: ConvertDestination, resources: Resources, progress: @escaping ProgressHandler
  ) throws -> ConvertReport {
    let files = try OutputFiles(destination, plan: plan)
    for (index, file) in plan.files.enumerated() { try files.tensors[index].write(file.header, at: 0) }
    let runs = plan.outputs.map(run)
    let units = SpanUnits(runs)
    let statistics = Monitor(Array(repeating: ErrorStatistics(), count: plan.outputs.count))
    let done = Monitor(0)
    let total = plan.bytesToWrite
    let converters = try plan.outputs.map {
      try TensorConverter(checkpoint, tensor: $0.source, to: $0.codec, rule: $0.rule, measured: $0.isQuantized, importance: $0.importance)
    }
    try OrderedPipeline.run(
      count: units.count, threads: resources.threads,
      window: resources.window(itemBytes: zip(plan.outputs, runs).map(bytes).max() ?? 0)
    ) { index in
      try write(units[index], with: converters, to: files)
    } consume: { index, product in
      statistics.withLock { $0[units[index].run].merge(product.0) }
      progress(
        Progress(
          bytesDone: done.withLock {
            $0 += product.1; return $0
          }, bytesTotal: total))
    }
    for sidecar in plan.sidecars { try files.add(sidecar.name, try checkpoint.read(0..<sidecar.size, of: sidecar)) }
    for made in plan.made { try files.add(made.name, made.bytes) }
    try checkpoint.checkUnchanged()
    try files.commit()
    return ConvertReport(plan: plan, statistics: statistics.withLock { $0 })
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

  private func isCopied(_ output: ConvertPlan.Output) -> Bool { output.isCopy && checkpoint is any FileCheckpoint }

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
      try plane.withBytes { try file.write($0, at: offset) }
      return (cost, plane.count)
    } catch let error as CodecError {
      throw TensorError(tensor: output.name, file: checkpoint.path, error: error)
    }
  }

  /// The source's bytes of a unit, where they lie in a file as the output wants them.
  private func copied(_ output: ConvertPlan.Output, _ unit: SpanUnits.Unit) -> (InputFile, Range<Int>)? {
    guard let files = checkpoint as? any FileCheckpoint, output.isCopy else { return nil }
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

  /// True if values are rounded on the way, so that the cost is worth telling.
  public var isQuantized: Bool { !Transcoder.isExact(from: sourceCodec, to: codec) && !(codec is PlainCodec) }
}
