import BaleFormat
import JSON

/// How a `.bale` file is written.
public struct PackOptions: Sendable {
  public var overwrite = false
  /// The most bytes in one file; nil: no limit.
  public var shardSize: Int?
  /// Store a SHA-256 for each chunk beside the fast digest.
  public var sha256 = false
  /// Compress what belongs to no tensor, too: the file is an archive.
  public var isArchive = false
  /// What the file says of its making.
  public var metadata: JSONValue = [:]

  /// Leave what an interrupted run has written, and go on where one of the same plan was interrupted; nil: leave nothing.
  public var resume: Resume?

  /// By what, beside the plan and the source, two runs are the same.
  public struct Resume: Sendable {
    /// Other files that are read, such as statistics.
    public var files: [String]
    /// Options that the plan doesn't show.
    public var settings: [String]
    /// How long finished records wait to be written down together.
    public var interval: Duration

    public init(files: [String] = [], settings: [String] = [], interval: Duration = .seconds(2)) {
      self.files = files
      self.settings = settings
      self.interval = interval
    }
  }

  public init() {}

  /// Adds a member to what the file says of its making.
  public mutating func note(_ key: String, _ value: JSONValue) {
    let members = metadata.object?.members ?? []
    metadata = .object(JSONObject(members + [JSONObject.Member(key, value)]))
  }

  var writer: BaleWriter.Options {
    var options = BaleWriter.Options()
    options.overwrite = overwrite
    options.shardSize = shardSize
    options.sha256 = sha256
    options.metadata = metadata.encoded()
    options.isKept = resume != nil
    return options
  }
}

/// What packing came to.
public struct PackReport: Sendable {
  public var plan: PackPlan
  /// What quantizing cost, by tensor of the plan.
  public var statistics: [ErrorStatistics]
  /// The same in the outputs of the weights, of tensors that a solver made.
  public var outputErrors: [OutputError]
  /// Bytes in the file, after any compression, by tensor of the plan.
  public var storedBytes: [Int]
  public var written: [BaleWriter.Written]

  /// Bits a weight over the tensors that were quantized, everything included; nil if none was.
  public var quantizedBits: Double? {
    let quantized = plan.tensors.indices.filter { !plan.tensors[$0].isExact }
    let weights = quantized.reduce(0) { $0 + (plan.tensors[$1].isShared ? 0 : plan.tensors[$1].shape.elements) }
    guard weights > 0 else { return nil }
    return Double(quantized.reduce(0) { $0 + storedBytes[$1] }) * 8 / Double(weights)
  }

  /// The relative squared error of the outputs of all tensors that a solver made; nil if none was.
  public var outputError: Double? {
    let total = outputErrors.reduce(into: OutputError()) { $0.merge($1) }
    return total.squaredNorm == 0 ? nil : total.relative
  }

  /// Over all tensors that were quantized.
  public var total: ErrorStatistics {
    statistics.reduce(into: ErrorStatistics()) { $0.merge($1) }
  }
}
