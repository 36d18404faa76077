import ByteIO
import Tensors

/// The tensors of a header against the size of the file.
struct HeaderLayout {
  let entries: [HeaderEntry]
  /// Every entry's dimensions, as the parser found them.
  let dimensions: [UInt64]
  /// Where the tensors' bytes begin in the file.
  let dataStart: Int
  let fileSize: Int
  let file: String

  /// Indices of the entries ascending by offsets; entries without bytes at one place keep the header's order.
  func dataOrder() -> [Int] {
    func precedes(_ left: Int, _ right: Int) -> Bool {
      (entries[left].begin, entries[left].end, left) < (entries[right].begin, entries[right].end, right)
    }
    let indices = Array(entries.indices)
    let isOrdered = indices.dropFirst().allSatisfy { precedes($0 - 1, $0) }
    return isOrdered ? indices : indices.sorted(by: precedes)
  }

  /// Checks that the tensors lie one after the other, each of the size that its dtype and shape take, to the end of
  /// the file.
  func check(in order: [Int]) throws {
    var previousEnd: UInt64 = 0
    for index in order {
      try check(entries[index], previousEnd: previousEnd)
      previousEnd = entries[index].end
    }
    let expected = previousEnd.adding(UInt64(dataStart)) ?? .max
    guard expected == UInt64(fileSize) else {
      throw SafetensorsError(.metadataIncompleteBuffer(expected: expected, fileSize: fileSize), file: file)
    }
  }

  private func check(_ entry: HeaderEntry, previousEnd: UInt64) throws {
    guard entry.begin == previousEnd, entry.end >= entry.begin else {
      throw SafetensorsError(
        .invalidOffset(expectedBegin: previousEnd, begin: entry.begin, end: entry.end), file: file, tensor: entry.name)
    }
    let size = try Self.size(
      of: entry.dtype, dimensions: dimensions[entry.dimensions], tensor: entry.name, file: file)
    guard entry.end - entry.begin == size else {
      throw SafetensorsError(
        .tensorInvalidInfo(expected: size, found: entry.end - entry.begin), file: file, tensor: entry.name)
    }
  }

  /// Bytes that a tensor takes: the product of its dimensions, taken left to right, times the bits of an element.
  static func size(of dtype: DType, dimensions: ArraySlice<UInt64>, tensor: String, file: String) throws -> UInt64 {
    var elements: UInt64? = 1
    for dimension in dimensions { elements = elements?.multiplied(by: dimension) }
    guard let bits = elements?.multiplied(by: UInt64(dtype.bits)) else {
      throw SafetensorsError(
        .validationOverflow(dimensions: Array(dimensions), dtype: dtype), file: file, tensor: tensor)
    }
    guard bits % 8 == 0 else {
      throw SafetensorsError(.misalignedSlice(dimensions: Array(dimensions), dtype: dtype), file: file, tensor: tensor)
    }
    return bits / 8
  }

  /// The tensors of the entries, which are checked: their offsets lie in the file.
  func tensors() throws -> [SafetensorsTensor] {
    try entries.map { entry in
      guard let shape = shape(of: entry) else {
        throw SafetensorsError(
          .shapeOutOfRange(dimensions: Array(dimensions[entry.dimensions])), file: file, tensor: entry.name)
      }
      return SafetensorsTensor(
        name: entry.name, dtype: entry.dtype, shape: shape,
        bytes: dataStart + Int(entry.begin)..<dataStart + Int(entry.end))
    }
  }

  private func shape(of entry: HeaderEntry) -> Shape? {
    let stored = dimensions[entry.dimensions]
    return stored.allSatisfy { $0 <= UInt64(Int.max) } ? Shape(stored.map { Int($0) }) : nil
  }
}
