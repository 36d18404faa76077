import ArgumentParser
import ByteIO
import Checkpoints
import Codecs
import Conversion
import JSON
import Layouts
import Tensors

/// `bale convert`: from any container to any other.
struct Convert: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Converts a checkpoint to another container or encoding.",
    discussion: """
      Streams in bounded memory, and writes each byte once. The destination's ending says the format: .safetensors, \
      .gguf or .bale; a directory gets safetensors unless --to says otherwise. What the target can hold is kept bit \
      for bit; what it can't is an error that names the tensor, unless --dequantize says what it should become.

      EXAMPLES
        bale convert models/mixtral mixtral.gguf
        bale convert mixtral.bale restored --dequantize bf16
        bale convert models/mixtral mixtral.bale --quantize int4:group=32
        bale convert models/mixtral mixtral-nvfp4 --layout compressed-tensors-nvfp4
      """)

  @Argument(help: "A checkpoint: a directory, or a .safetensors, .gguf or .bale file.")
  var source: String

  @Argument(help: "A directory, or a file that ends in .safetensors, .gguf or .bale.")
  var destination: String

  @Option(name: .long, help: "The format to write, where the destination's ending doesn't say it.")
  var to: ContainerFormat?

  @Option(
    name: .long,
    help: ArgumentHelp("Quantize weight matrices: q8_0, mxfp4, int4:group=32, nf4@absmax, bf16, ...", valueName: "TYPE")
  )
  var quantize: String?

  @Option(name: .long, help: ArgumentHelp("Decode what the target can't hold as it is.", valueName: "f32|f16|bf16"))
  var dequantize: FloatType?

  @Option(
    name: .long,
    help: ArgumentHelp(
      "How codes of other libraries' layouts become values: exact, or as a library that computes in 16 bits.",
      valueName: "exact|library"))
  var arithmetic: Arithmetic = .exact

  @Option(
    name: .long,
    help: ArgumentHelp(
      "Write as another library stores it: \(Self.layouts.joined(separator: ", ")).",
      valueName: "LAYOUT"))
  var layout: String?

  @Flag(
    name: .long, help: "Change the container alone: keep names and shapes, even of a model whose architecture is known."
  )
  var container = false

  @Option(name: .long, help: ArgumentHelp("Cut the output in files of at most this size.", valueName: "SIZE"))
  var splitMaxSize: ByteSize?

  @Flag(
    name: .long,
    help: "Keep what an interrupted run has written, and go on where a run with the same options was interrupted.")
  var resume = false

  @OptionGroup(title: "GGUF options") var ggufOptions: GGUFOptions
  @OptionGroup(title: "Calibration options") var calibrationArguments: CalibrationArguments
  @OptionGroup var outputOptions: OutputOptions
  @OptionGroup var options: GlobalOptions

  func run() throws {
    let format = try format()
    if layout != nil, format != .safetensors { throw ValidationError("--layout is for safetensors") }
    if format == .bale { return try pack() }
    let start = ContinuousClock.now
    let checkpoint = try seen(calibrated(opened(format), as: format), as: format)
    let isSingleFile = Checkpoints.format(ofDestination: destination) != nil
    let plan = try ConvertPlan(checkpoint, request: request(checkpoint, format, isSingleFile: isSingleFile))
    if outputOptions.dryRun { return ConvertPrinter(command: self).dryRun(plan) }
    Notice.skipped(checkpoint, options: options)
    let progress = ProgressLine("converting", options: options)
    defer { progress.finish() }
    var target = ConvertDestination(
      path: destination, isSingleFile: isSingleFile, overwrite: outputOptions.force)
    target.isResumable = resume
    let report = try ConvertJob(checkpoint, plan: plan).run(to: target, resources: options.resources) {
      progress.update($0)
    }
    progress.finish()
    ConvertPrinter(command: self).report(report, source: checkpoint, seconds: seconds(since: start))
  }

  private func request(
    _ checkpoint: any Checkpoint, _ format: ContainerFormat, isSingleFile: Bool
  ) throws -> ConvertRequest {
    let quantization = try ggufOptions.quantization(quantize, of: checkpoint, as: format)
    let isDone = layout != nil || checkpoint is CalibratedView
    let type = quantization == nil && !isDone ? quantize : nil
    var request = ConvertRequest(
      format: format, isSingleFile: isSingleFile,
      recipe: try QuantizeType(type, dequantized: dequantize?.dtype, format: format).recipe,
      dequantized: dequantize?.dtype, shardSize: splitMaxSize?.bytes)
    request.prefix = String(Path.name(of: destination).dropLast(".gguf".count))
    request.quantization = quantization
    request.shardTensors = ggufOptions.splitMaxTensors
    return request
  }

  /// To safetensors, weights that a recipe has solved are seen with the values that they then have.
  private func calibrated(_ checkpoint: any Checkpoint, as format: ContainerFormat) throws -> any Checkpoint {
    guard format == .safetensors else { return checkpoint }
    let recipe = try QuantizeType(quantize, format: format).recipe
    guard recipe.isCalibrated else { return checkpoint }
    let calibration = try calibrationArguments.options(for: checkpoint)
    let plan = try PackPlan(checkpoint, recipe: recipe, calibration: calibration)
    return CalibratedView(checkpoint, plan: plan, dtype: dequantize?.dtype, threads: options.threads)
  }

  /// The source seen through its layout, unless its files are only to be written anew: then every tensor stays as it
  /// is stored.
  private func opened(_ format: ContainerFormat) throws -> any Checkpoint {
    let isRewritten = format == .safetensors && dequantize == nil && quantize == nil
    if container || isRewritten && layout == nil { return try Checkpoints.open(source) }
    let checkpoint = try Layouts.open(source, arithmetic: arithmetic)
    if let layout {
      return try relaid(HuggingFaceView(checkpoint, dtype: dequantize?.dtype) ?? checkpoint, as: layout)
    }
    guard format == .gguf, dequantize == nil, quantize == nil, let layouts = checkpoint as? LayoutCheckpoint,
      let quantized = layouts.logical.first(where: { !$0.layout.hasPrefix("gpt-oss") })
    else { return checkpoint }
    throw PlanError(
      tensor: quantized.name,
      reason: "it is stored as \(quantized.layout); say what it becomes by --quantize or --dequantize")
  }

  private static let layouts = LayoutWriters.all.map(\.name) + PublishedSpQR.Sparse.allCases.map(\.rawValue)

  /// The source as another library stores it.
  private func relaid(_ checkpoint: any Checkpoint, as layout: String) throws -> any Checkpoint {
    if let sparse = PublishedSpQR.Sparse(rawValue: layout) { return try PublishedSpQRFiles(checkpoint, sparse: sparse) }
    guard let writer = LayoutWriters.find(layout) else {
      throw ValidationError("--layout should be one of \(Self.layouts.joined(separator: ", ")), not '\(layout)'")
    }
    var (codec, rule): ((any Codec)?, ScaleRule?) = (nil, nil)
    if let quantize, case .quantize(let descriptor, let chosen) = try Treatment(parsing: quantize) {
      (codec, rule) = (try CodecRegistry.codec(descriptor), chosen)
    }
    return try RelaidCheckpoint(
      checkpoint, writer: writer, quantize: codec, rule: rule, threads: options.resources.threads)
  }

  /// A Hugging Face model of a known architecture becomes the GGUF model that llama.cpp loads, and the other way
  /// round where the destination is a directory.
  private func seen(_ checkpoint: any Checkpoint, as format: ContainerFormat) throws -> any Checkpoint {
    if container || layout != nil { return (checkpoint as? LayoutCheckpoint)?.stored ?? checkpoint }
    if format == .gguf { return try GGUFView(checkpoint, preTokenizer: ggufOptions.preTokenizer) ?? checkpoint }
    if let dtype = dequantize?.dtype, let plain = PlainGPTOSSView(checkpoint, dtype: dtype) { return plain }
    guard Checkpoints.format(ofDestination: destination) == nil else { return checkpoint }
    return try HuggingFaceView(checkpoint, dtype: dequantize?.dtype) ?? checkpoint
  }

  private func format() throws -> ContainerFormat {
    let ending = Checkpoints.format(ofDestination: destination)
    if let to, let ending, to != ending {
      throw ValidationError("--to \(to.rawValue) contradicts the ending of '\(destination)'")
    }
    guard let format = to ?? ending ?? .some(.safetensors) else { throw ValidationError("which format?") }
    if format != .safetensors && ending == nil {
      throw ValidationError("a \(format.rawValue) destination should be a file that ends in .\(format.rawValue)")
    }
    return format
  }

  /// The source seen through its layout; where its tensors stay as they are, only so far that they come back.
  private func seenForArchive() throws -> any Checkpoint {
    let seen = try Layouts.open(source)
    guard let layouts = seen as? LayoutCheckpoint else { return seen }
    if quantize == nil, dequantize == nil { return try layouts.archived() }
    if let refusal = layouts.refusal { throw refusal }
    return layouts
  }

  /// To `.bale`: the same as packing by a recipe made from the options.
  private func pack() throws {
    let start = ContinuousClock.now
    let recipe = try QuantizeType(quantize, dequantized: dequantize?.dtype, format: .bale).recipe
    let checkpoint = try seenForArchive()
    _ = try ggufOptions.quantization(quantize, of: checkpoint, as: .bale)
    if layout != nil { throw ValidationError("--layout goes with a directory of safetensors") }
    let plan = try PackPlan(checkpoint, recipe: recipe, calibration: calibrationArguments.options(for: checkpoint))
    var packing = PackOptions()
    packing.overwrite = outputOptions.force
    packing.shardSize = splitMaxSize?.bytes
    if resume { packing.resume = calibrationArguments.resumption() }
    packing.metadata = ["tool": .string("bale \(Version.text)"), "rules": .string(recipe.text)]
    let printer = PackPrinter(source: source, output: destination, options: options)
    if outputOptions.dryRun {
      return printer.dryRun(plan, try PackEstimate(checkpoint, plan: plan, options: packing))
    }
    let progress = ProgressLine("packing", options: options)
    defer { progress.finish() }
    let report = try PackJob(checkpoint, plan: plan, options: packing)
      .run(to: destination, resources: options.resources) { progress.update($0) }
    progress.finish()
    printer.report(report, source: checkpoint, seconds: seconds(since: start))
  }
}

extension ContainerFormat: ExpressibleByArgument {}
extension Arithmetic: ExpressibleByArgument {}

/// The float types that tensors are decoded to.
enum FloatType: String, ExpressibleByArgument, CaseIterable {
  case f32, f16, bf16

  var dtype: DType {
    switch self {
    case .f32: .f32
    case .f16: .f16
    case .bf16: .bf16
    }
  }
}
