import Codecs
import Tensors

/// Makes the public values out of the checked rows of one file.
struct RowView {
  let shard: Int
  let directory: Directory

  func tensor(_ row: TensorRow, name: String, parts: [BalePart]) -> BaleTensor {
    let isMeasured = row.flags & TensorRow.measured != 0
    return BaleTensor(
      name: name, dtype: DTypeCode.dtype(row.dtype), shape: shape(row),
      encoding: directory.string(directory.encodings[row.encoding]),
      isLossless: row.flags & TensorRow.lossless != 0,
      error: isMeasured ? .init(relativeMSE: row.relativeMSE, maximum: row.maximumError) : nil, parts: parts)
  }

  func shape(_ row: TensorRow) -> Shape {
    let first = Int(row.firstDimension)
    let dimensions = (first..<first + Int(row.rank)).map { Int(directory.dimensions[$0].value) }
    // The check of the directory has ruled out a product that overflows.
    return Shape(dimensions) ?? .scalar
  }

  func parts(of row: TensorRow, name: String) -> [BalePart] {
    let first = Int(row.firstPart)
    return (first..<first + Int(row.partCount)).map { part(directory.parts[$0], shape: shape(row), name: name) }
  }

  func part(_ part: PartRow, shape: Shape, name: String) -> BalePart {
    let length = shape.dimensions.first ?? 1
    let stride = length == 0 ? 0 : shape.elements / length
    let firstPlane = Int(part.firstPlane)
    return BalePart(
      range: Int(part.first)..<Int(part.first + part.count), elements: Int(part.count) * stride,
      columns: shape.columns, spanElements: Int(part.spanElements),
      planes: (firstPlane..<firstPlane + Int(part.planeCount)).map { plane(directory.planes[$0]) },
      record: RecordID(shard: shard, index: Int(part.record)), tensorName: name)
  }

  func plane(_ row: PlaneRow) -> BalePlane {
    let first = Int(row.firstChunk)
    let chunks = first..<first + Int(row.chunkCount)
    return BalePlane(
      role: PlaneRole(rawValue: row.role) ?? .codes, extent: PlaneExtent(code: row.extent) ?? .whole,
      isCompressed: row.compression == 1, decodedLength: Int(row.decoded),
      storedBytes: chunks.reduce(0) { $0 + Int(directory.chunks[$1].stored) }, chunks: chunks)
  }

  func record(_ id: RecordID) -> BaleRecord {
    let row = directory.records[id.index]
    let first = Int(row.firstPlane)
    var parts: [(tensor: String, part: BalePart)] = []
    var last: UInt32?
    for index in first..<first + Int(row.planeCount) {
      let part = directory.planes[index].part
      guard part != BaleConstants.none, part != last else { continue }
      last = part
      let partRow = directory.parts[part]
      let tensor = directory.tensors[partRow.tensor]
      let name = directory.string(tensor.name)
      parts.append((name, self.part(partRow, shape: shape(tensor), name: name)))
    }
    return BaleRecord(
      id: id, kind: RecordKind(row) ?? .void, range: Int(row.offset)..<Int(row.offset + row.byteCount), parts: parts)
  }
}
