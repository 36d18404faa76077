import ByteIO
import Checkpoints
import Codecs
import Pipeline
import Tensors

/// A model as SpQR's inference library saves it, seen as weights in the encoding `spqr`: every code, statistic and
/// outlier as it is. The files themselves are not part of it: `bale convert --layout spqr` writes them again.
public struct PublishedSpQRCheckpoint: CheckpointView {
  public let tensors: [CheckpointTensor]
  public let stored: any FileCheckpoint
  public var source: any Checkpoint { stored }
  private let entries: [Entry]
  private let modules: [PublishedSpQRModule]
  private let last = Monitor((module: Int, span: SpQRMatrix)?.none)

  private enum Entry: Sendable {
    case stored(Int)
    case module(Int)
  }

  /// Nil for a checkpoint that has no such weights. Throws `LayoutError` or `IOError`.
  public init?(_ stored: any FileCheckpoint) throws {
    guard stored.tensors.contains(where: { $0.name.hasSuffix(Self.suffix) }) else { return nil }
    let scan = try StoredTensors(stored)
    let modules = try scan.ending(Self.suffix).map { try PublishedSpQRModule($0, dense: $1, scan) }
    let members = Set(modules.flatMap(\.members).map(\.index))
    var (tensors, entries) = ([CheckpointTensor](), [Entry]())
    for (index, tensor) in stored.tensors.enumerated() where !members.contains(index) {
      tensors.append(tensor)
      entries.append(.stored(index))
    }
    for (index, module) in modules.enumerated() {
      let codec = try scan.naming(module.name) { () throws(CodecError) in
        try PublishedSpQR.codec(permuted: module.isPermuted)
      }
      let shape = try scan.shape([module.rows, module.columns], of: module.name)
      var entry = CheckpointTensor(
        name: module.name + ".weight", shape: shape, codec: codec,
        storedBytes: module.members.reduce(0) { $0 + stored.tensors[$1.index].storedBytes })
      entry.layout = "SpQR"
      tensors.append(entry)
      entries.append(.module(index))
    }
    (self.tensors, self.stored, self.entries, self.modules) = (tensors, stored, entries, modules)
  }

  private static let suffix = ".dense_weights"

  /// What lies beside the tensors and says nothing of how they are cut into files.
  public var files: [CheckpointFile] {
    stored.files.filter { !$0.holdsTensors && !$0.name.hasSuffix(".safetensors.index.json") }
  }

  public func read(
    _ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]
  ) throws -> [Int] {
    switch entries[tensor] {
    case .stored(let index): return try stored.read(index, elements: elements, into: planes)
    case .module(let index):
      let module = modules[index]
      let codec = try PublishedSpQR.codec(permuted: module.isPermuted)
      let columns = max(module.columns, 1)
      let part = try span(index).slice(
        elements.lowerBound / columns..<elements.upperBound / columns, tileRows: codec.dense.tileRows)
      let packed = try codec.pack(part)
      for (plane, bytes) in zip(planes, packed) { plane.copyBytes(from: bytes) }
      return packed.map(\.count)
    }
  }

  /// The weight of a module: that of the last is kept, as its runs are read one after another.
  private func span(_ module: Int) throws -> SpQRMatrix {
    if let last = last.withLock({ $0 }), last.module == module { return last.span }
    let span = try modules[module].span()
    last.withLock { $0 = (module, span) }
    return span
  }
}
