import ByteIO
import Codecs

/// Checks of TENS, DIMS and PART.
extension DirectoryTables {
  /// Gives the rows of tensors whose parts don't cover them.
  func checkTensors(_ heap: TextCheck) throws(BaleError) -> Set<Int> {
    var partial: Set<Int> = []
    var dimension: UInt32 = 0
    var part: UInt32 = 0
    for row in tensors.indices {
      let tensor = tensors[row]
      try checkFields(tensor, row, heap)
      guard tensor.firstDimension == dimension, let next = dimension.adding(UInt32(tensor.rank)),
        next <= dimensions.count, elements(tensor) != nil
      else { throw fault(.tensorShape(row: row), .tensors, row) }
      guard tensor.firstPart == part, tensor.partCount > 0, let nextPart = part.adding(tensor.partCount),
        nextPart <= parts.count
      else { throw fault(.tensorParts(row: row), .tensors, row) }
      if try !coversTensor(row, tensor) {
        guard shard != nil else { throw fault(.tensorParts(row: row), .tensors, row) }
        partial.insert(row)
      }
      (dimension, part) = (next, nextPart)
    }
    guard dimension == dimensions.count else {
      throw fault(.tensorShape(row: tensors.count), .tensors, tensors.count)
    }
    guard part == parts.count else { throw fault(.tensorParts(row: tensors.count), .tensors, tensors.count) }
    return partial
  }

  private func checkFields(_ tensor: TensorRow, _ row: Int, _ heap: TextCheck) throws(BaleError) {
    guard heap.contains(tensor.name) else { throw fault(.text(table: "TENS", row: row), .tensors, row) }
    if row > 0, !Bytes.precedes(sections.text(tensors[row - 1].name), sections.text(tensor.name)) {
      throw fault(.tensorOrder(row: row), .tensors, row)
    }
    guard tensor.dtype < DTypeCode.count else { throw fault(.tensorDType(row: row), .tensors, row) }
    guard tensor.flags <= TensorRow.lossless | TensorRow.measured else {
      throw fault(.tensorFlags(row: row), .tensors, row)
    }
    guard tensor.encoding < encodings.count else { throw fault(.tensorEncoding(row: row), .tensors, row) }
    let isMeasured = tensor.flags & TensorRow.measured != 0
    guard isStatistic(tensor.relativeMSE, isMeasured), isStatistic(tensor.maximumError, isMeasured) else {
      throw fault(.tensorError(row: row), .tensors, row)
    }
  }

  /// A finite number that isn't negative, and zero where nothing was measured.
  private func isStatistic(_ value: Double, _ isMeasured: Bool) -> Bool {
    value.isFinite && value >= 0 && (isMeasured || value.bitPattern == 0)
  }

  /// The product of the dimensions, nil if one or the product doesn't fit.
  private func elements(_ tensor: TensorRow) -> UInt64? {
    var product: UInt64 = 1
    let first = Int(tensor.firstDimension)
    for index in first..<first + Int(tensor.rank) {
      let dimension = dimensions[index].value
      guard let next = product.multiplied(by: dimension), next <= UInt64(Int.max), dimension <= UInt64(Int.max) else {
        return nil
      }
      product = next
    }
    return product
  }

  /// Length of the first dimension, 1 for a scalar.
  private func length(_ tensor: TensorRow) -> UInt64 {
    tensor.rank == 0 ? 1 : dimensions[tensor.firstDimension].value
  }

  /// True if the parts cover the first dimension; false if some are elsewhere. Throws if they overlap.
  private func coversTensor(_ row: Int, _ tensor: TensorRow) throws(BaleError) -> Bool {
    let length = length(tensor)
    var end: UInt64 = 0
    var isWhole = true
    for index in Int(tensor.firstPart)..<Int(tensor.firstPart) + Int(tensor.partCount) {
      let part = parts[index]
      guard part.tensor == row else { throw fault(.partRecord(row: index), .parts, index) }
      guard part.first >= end, part.count > 0 || (length == 0 && tensor.partCount == 1),
        let next = part.first.adding(part.count), next <= length
      else { throw fault(.tensorParts(row: row), .tensors, row) }
      if part.first != end { isWhole = false }
      end = next
    }
    return isWhole && end == length
  }

  /// Parts have planes of their record that name them, of as many chunks as they have spans.
  func checkParts() throws(BaleError) {
    var claimed = [Bool](repeating: false, count: planes.count)
    for row in parts.indices {
      let part = parts[row]
      guard part.record < records.count else { throw fault(.partRecord(row: row), .parts, row) }
      let record = records[part.record]
      guard part.planeCount > 0, part.firstPlane >= record.firstPlane,
        let end = part.firstPlane.adding(part.planeCount),
        end <= record.firstPlane + record.planeCount
      else { throw fault(.partPlanes(row: row), .parts, row) }
      let tensor = tensors[part.tensor]
      let stride = (elements(tensor) ?? 0) / max(1, length(tensor))
      guard part.spanElements > 0, part.spanElements <= UInt64(Int.max),
        let elements = part.count.multiplied(by: stride)
      else { throw fault(.partSpans(row: row), .parts, row) }
      let spans = elements.dividedRoundingUp(by: part.spanElements)
      for index in Int(part.firstPlane)..<Int(end) {
        let plane = planes[index]
        claimed[index] = true
        guard plane.part == row else { throw fault(.partPlanes(row: row), .parts, row) }
        guard plane.extent == PlaneExtent.whole.code || UInt64(plane.chunkCount) == spans else {
          throw fault(.planeChunks(row: index), .planes, index)
        }
      }
    }
    for row in planes.indices where planes[row].part != BaleConstants.none && !claimed[row] {
      throw fault(.planePart(row: row), .planes, row)
    }
  }
}
