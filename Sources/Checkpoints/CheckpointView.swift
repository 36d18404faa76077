import ByteIO

/// A checkpoint seen another way: what a view doesn't answer itself, the checkpoint that it looks at does.
public protocol CheckpointView: Checkpoint {
  /// What it looks at.
  var source: any Checkpoint { get }
}

extension CheckpointView {
  public var path: String { source.path }
  public var format: ContainerFormat { source.format }
  public var files: [CheckpointFile] { source.files }
  public var storage: [(path: String, size: Int)] { source.storage }
  public var skipped: [String] { source.skipped }
  public var facts: [(key: String, value: String)] { source.facts }
  public func segments(of file: CheckpointFile) throws -> [SourceSegment] { try source.segments(of: file) }
  public func read(_ range: Range<Int>, of file: CheckpointFile) throws -> [UInt8] {
    try source.read(range, of: file)
  }
  public func open(_ file: CheckpointFile) throws -> InputFile { try source.open(file) }
  public func sha256(of file: CheckpointFile) throws -> [UInt8]? { try source.sha256(of: file) }
  public func checkUnchanged() throws { try source.checkUnchanged() }
}
