import ByteIO
import Checkpoints
import Codecs
import GGUF
import Layouts
import Safetensors
import Tensors

extension ConvertPlan {
  /// Lays the output out. Throws `PlanError`, or the container's error, naming the tensor that it can't hold.
  public init(_ checkpoint: any Checkpoint, request: ConvertRequest) throws {
    if let refusal = (checkpoint as? LayoutCheckpoint)?.refusal { throw refusal }
    format = request.format
    files = []
    outputs = []
    made = []
    withoutImportance = []
    dropped = (checkpoint as? GGUFView)?.dropped ?? (checkpoint as? HuggingFaceView)?.dropped ?? []
    sidecars = request.isSingleFile ? [] : checkpoint.files.filter { !$0.holdsTensors && !Self.isIndex($0.name) }
    let mix = try Self.mix(checkpoint, request)
    for index in mix?.order ?? Array(checkpoint.tensors.indices) {
      let source = checkpoint.tensors[index]
      if request.recipe.treatment(name: source.name, role: source.role) == .drop {
        dropped.append((source.name, "the recipe '\(request.recipe.name)' drops it"))
        continue
      }
      var output = try output(index, source, request: request, mix: mix)
      output.isChecked = (mix != nil || checkpoint is GGUFView) && FiniteCheck.applies(to: output.codec)
      outputs.append(output)
    }
    switch request.format {
    case .safetensors:
      try placeInSafetensors(checkpoint, request)
      try replaceConfiguration(checkpoint, request)
      if !request.isSingleFile {
        made +=
          (checkpoint as? HuggingFaceView)?.made ?? (checkpoint as? RelaidCheckpoint)?.made
          ?? (checkpoint as? PublishedSpQRFiles)?.made
          ?? GGUFSource.travelledFiles(of: checkpoint)
      }
    case .gguf: try placeInGGUF(checkpoint, request, mix)
    case .bale: throw PlanError(reason: "a .bale file is packed, not converted to")
    case .onnx: throw PlanError(reason: "ONNX models are read, not written")
    }
  }

  /// How a GGUF model is quantized: by llama.cpp's rules for the type, where its tensors have GGUF's names.
  private static func mix(_ checkpoint: any Checkpoint, _ request: ConvertRequest) throws(PlanError) -> GGUFMix? {
    guard request.format == .gguf, let quantization = request.quantization,
      GGUFSource.metadata(of: checkpoint) != nil
    else { return nil }
    return try GGUFMix(quantization, of: checkpoint)
  }

  private mutating func output(
    _ index: Int, _ source: CheckpointTensor, request: ConvertRequest, mix: GGUFMix?
  ) throws(PlanError) -> Output {
    let (codec, rule) = try TargetEncoding.choose(source, index: index, request: request, mix: mix)
    var output = Output(
      source: index, name: source.name, shape: source.shape, sourceCodec: source.codec, codec: codec, rule: rule,
      file: 0, range: 0..<codec.bytes(plane: 0, elements: source.shape.elements, columns: source.shape.columns))
    guard let mix, !output.isCopy, let type = (codec as? GGMLCodec)?.type else { return output }
    output.importance = try mix.importance(of: source, as: type)
    if output.importance == nil, mix.quantization.importance != nil, type.usesImportance {
      withoutImportance.append(source.name)
    }
    return output
  }

  /// Where quantized tensors are written as plain ones, the configuration no longer says that they are quantized.
  private mutating func replaceConfiguration(_ checkpoint: any Checkpoint, _ request: ConvertRequest) throws {
    guard !request.isSingleFile,
      checkpoint is PlainGPTOSSView
        || outputs.contains(where: {
          !($0.sourceCodec is PlainCodec) && !Transcoder.isExact(from: $0.sourceCodec, to: $0.codec)
        }),
      let config = try PlainConfiguration.make(of: checkpoint, dtype: request.dequantized)
    else { return }
    sidecars.removeAll { $0.name == config.name || PlainConfiguration.isObsolete($0) }
    made.append(config)
  }

  /// An index names shards that the output doesn't have.
  private static func isIndex(_ name: String) -> Bool { name.hasSuffix(".safetensors.index.json") }

  /// Bytes of the source's tensors that will be read.
  public var bytesToWrite: Int { outputs.reduce(0) { $0 + $1.range.count } }

  /// Bytes of all output files.
  public var size: Int {
    files.reduce(0) { $0 + $1.size } + made.reduce(0) { $0 + $1.bytes.count } + sidecars.reduce(0) { $0 + $1.size }
  }
}

extension ConvertPlan {
  private mutating func placeInSafetensors(_ checkpoint: any Checkpoint, _ request: ConvertRequest) throws {
    let limit = request.shardSize ?? (request.isSingleFile ? .max : ShardPlan.defaultMaximumSize)
    let shards = ShardPlan.split(sizes: outputs.map(\.range.count), maximum: limit)
    if request.isSingleFile && shards.count > 1 {
      throw PlanError(
        tensor: outputs[shards[1].lowerBound].name, reason: "one file can't be cut in shards; give a directory")
    }
    for (number, shard) in shards.enumerated() {
      let specs = shard.map { SafetensorsTensorSpec(outputs[$0].name, dtype(of: outputs[$0]), outputs[$0].shape) }
      let plan = try SafetensorsHeader.plan(tensors: specs, metadata: [SafetensorsMetadataEntry("format", "pt")])
      for (position, output) in shard.enumerated() {
        outputs[output].file = number
        outputs[output].range = plan.ranges[position]
      }
      let name = ShardPlan.name(index: number, count: shards.count)
      files.append(File(name: name, header: plan.headerBytes, size: plan.fileSize))
    }
    if shards.count > 1 { made.append(("model.safetensors.index.json", index())) }
  }

  private func dtype(of output: Output) -> DType { (output.codec as? PlainCodec)?.dtype ?? .u8 }

  private func index() -> [UInt8] {
    ShardIndex(
      totalSize: outputs.reduce(0) { $0 + $1.range.count },
      totalParameters: outputs.reduce(0) { $0 + $1.shape.elements },
      weightMap: outputs.map { ShardIndex.Entry(tensor: $0.name, shard: files[$0.file].name) }
    ).encoded()
  }

  private mutating func placeInGGUF(
    _ checkpoint: any Checkpoint, _ request: ConvertRequest, _ mix: GGUFMix?
  ) throws {
    let metadata = try GGUFSource.outputMetadata(of: checkpoint, quantization: mix?.quantization)
    let infos = try outputs.map { output in
      guard let type = GGMLForm.type(of: output.codec) else {
        throw PlanError(tensor: output.name, reason: "gguf can't hold \(output.codec.shortName)")
      }
      let shape = mix == nil ? output.shape : Self.trimmed(output.shape)
      return GGUFTensorInfo(name: output.name, type: type, shape: shape)
    }
    let limit = request.shardSize.map { GGUFSplitLimit.bytes($0) } ?? request.shardTensors.map { .tensors($0) }
    guard let limit else {
      let plan = try GGUFHeader.plan(metadata: metadata, tensors: infos)
      return add(plan, to: outputs.indices, name: "model.gguf")
    }
    let shards = try GGUFHeader.plan(
      splitting: limit, prefix: request.prefix, metadata: metadata, tensors: infos)
    for shard in shards { add(shard.plan, to: shard.tensors, name: shard.path) }
  }

  /// Without the dimensions of 1 on the outside, which llama-quantize leaves out.
  private static func trimmed(_ shape: Shape) -> Shape {
    let dimensions = Array(shape.dimensions.drop { $0 == 1 })
    return shape.rank == 0 ? shape : Shape(dimensions.isEmpty ? [1] : dimensions) ?? shape
  }

  /// Places a run of outputs in a GGUF file.
  private mutating func add(_ plan: GGUFPlan, to range: Range<Int>, name: String) {
    for (output, tensor) in zip(range, plan.tensors) {
      outputs[output].file = files.count
      outputs[output].range = tensor.range
    }
    files.append(File(name: name, header: plan.header, size: plan.fileSize))
  }
}
