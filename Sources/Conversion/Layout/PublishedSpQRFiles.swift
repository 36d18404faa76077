import ByteIO
import Checkpoints
import Codecs
import JSON
import Pipeline
import Tensors

/// A checkpoint whose SpQR weights are the tensors of SpQR's inference library again; the rest as it is.
public struct PublishedSpQRFiles: CheckpointView {
  public let tensors: [CheckpointTensor]
  /// config.json with what the library has to know.
  public let made: [(name: String, bytes: [UInt8])]
  public let source: any Checkpoint
  private let sparse: PublishedSpQR.Sparse
  private let entries: [Entry]
  private let last = Monitor((tensor: Int, published: PublishedSpQR)?.none)

  private enum Entry: Sendable {
    case source(Int)
    case written(Field, tensor: Int)
  }

  /// The stored tensors of a module.
  private enum Field: String, CaseIterable {
    case dense = "dense_weights"
    case offsets = "row_offsets"
    case values = "col_vals"
    case permutation = "in_perm"

    var dtype: DType { self == .dense ? .i64 : .i32 }

    func bytes(_ published: PublishedSpQR) -> [UInt8] {
      var bytes: [UInt8] = []
      switch self {
      case .dense: for word in published.denseWords { bytes.append(littleEndian: word) }
      case .offsets:
        for offset in published.rowOffsets { bytes.append(littleEndian: UInt32(bitPattern: offset)) }
      case .values: for word in published.columnValues { bytes.append(littleEndian: word) }
      case .permutation: for column in published.permutation { bytes.append(littleEndian: column) }
      }
      return bytes
    }
  }

  /// Throws `PlanError` if there is no such weight, or naming one that the library can't hold.
  public init(_ source: any Checkpoint, sparse: PublishedSpQR.Sparse) throws {
    self.source = source
    self.sparse = sparse
    var (tensors, entries) = ([CheckpointTensor](), [Entry]())
    var (shapes, plain) = ([JSONObject.Member](), [JSONValue]())
    for (index, tensor) in source.tensors.enumerated() {
      guard tensor.codec is SpQRCodec else {
        if tensor.shape.rank == 2, tensor.role != .embedding, tensor.name.hasSuffix(".weight") {
          plain.append(.string(String(tensor.name.dropLast(".weight".count))))
        }
        tensors.append(tensor)
        entries.append(.source(index))
        continue
      }
      let published = try Self.published(source, tensor: index, sparse)
      let module = String(tensor.name.dropLast(tensor.name.hasSuffix(".weight") ? ".weight".count : 0))
      for field in Field.allCases where field != .permutation || !published.permutation.isEmpty {
        let name = "\(module).\(field.rawValue)"
        let count = field.bytes(published).count * 8 / field.dtype.bits
        guard let shape = Shape([count]) else { continue }
        tensors.append(CheckpointTensor(name: name, shape: shape, codec: PlainCodec(field.dtype)))
        entries.append(.written(field, tensor: index))
        shapes.append(.init("\(name).shape", .integer(count)))
      }
    }
    guard !shapes.isEmpty else { throw PlanError(reason: "there is no SpQR weight to be written as its library's") }
    (self.tensors, self.entries) = (tensors, entries)
    made = try Self.configuration(of: source, shapes: shapes, plain: plain)
  }

  private static func configuration(
    of source: any Checkpoint, shapes: [JSONObject.Member], plain: [JSONValue]
  ) throws -> [(name: String, bytes: [UInt8])] {
    guard let old = try PlainConfiguration.make(of: source, dtype: nil) else { return [] }
    let made = try PlainConfiguration.changed(old) { config in
      config["quantization_config"] = [
        "quant_method": "spqr", "bits": 3, "beta1": 16, "beta2": 16, "shapes": .object(JSONObject(shapes)),
        "modules_to_not_convert": .array(plain),
      ]
    }
    return made.map { [$0] } ?? []
  }

  private static func published(
    _ source: any Checkpoint, tensor: Int, _ sparse: PublishedSpQR.Sparse
  ) throws -> PublishedSpQR {
    let entry = source.tensors[tensor]
    guard let codec = entry.codec as? SpQRCodec, PublishedSpQR.holds(codec) else {
      throw PlanError(
        tensor: entry.name,
        reason: "SpQR's library has 3 bits, tiles of 16 x 16, F16 arithmetic and outliers that are added, and can't "
          + "hold \(entry.codec.descriptor) with the same values")
    }
    do {
      let reader = SpanReader(source, tensor: tensor)
      var span: SpQRMatrix?
      for run in source.runs(covering: 0..<reader.elements, of: tensor) {
        let part = try reader.read(run).withSpan { try codec.unpack($0) }
        if span?.append(part) == nil { span = part }
      }
      guard let span else { throw PlanError(tensor: entry.name, reason: "it has no weights") }
      return try PublishedSpQR(span, sparse: sparse)
    } catch let error as CodecError {
      throw PlanError(tensor: entry.name, reason: "\(error)")
    }
  }

  public var files: [CheckpointFile] {
    source.files.filter { file in !file.holdsTensors && !made.contains { $0.name == file.name } }
  }

  public func read(
    _ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    switch entries[tensor] {
    case .source(let index): return try source.read(index, elements: elements, into: planes)
    case .written(let field, let index):
      let size = field.dtype.bits / 8
      let bytes = field.bytes(try published(index))
      planes[0].copyBytes(from: bytes[elements.lowerBound * size..<elements.upperBound * size])
      return [planes[0].count]
    }
  }

  /// The module that was made last is kept: its tensors are read one after another.
  private func published(_ tensor: Int) throws -> PublishedSpQR {
    if let last = last.withLock({ $0 }), last.tensor == tensor { return last.published }
    let published = try Self.published(source, tensor: tensor, sparse)
    last.withLock { $0 = (tensor, published) }
    return published
  }

  public func sha256(of file: CheckpointFile) throws -> [UInt8]? { nil }
}
