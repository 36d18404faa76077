import ByteIO

/// Tensors laid out one after the other from offset 0, each padded to the alignment. Reader and writer share it, so
/// that one can't accept what the other wouldn't write.
struct Placement {
  let alignment: Int
  /// Per tensor, its bytes without padding.
  private(set) var ranges: [Range<Int>] = []
  /// Where the next tensor goes: the padded bytes of all so far.
  private(set) var end = 0
  /// The tensors by name.
  private(set) var positions: [GGUFString: Int] = [:]

  /// - Parameter count: how many tensors to make room for.
  init(alignment: Int, count: Int) {
    self.alignment = alignment
    ranges.reserveCapacity(count)
    positions.reserveCapacity(count)
  }

  init(_ tensors: [GGUFTensorInfo], alignment: Int) throws(Failure) {
    self.init(alignment: alignment, count: tensors.count)
    for tensor in tensors { try append(tensor) }
  }

  /// Where the tensor after this one goes.
  func paddedEnd(_ index: Int) -> Int { index + 1 < ranges.count ? ranges[index + 1].lowerBound : end }

  /// Throws what is wrong with the tensor itself, `duplicateTensor` or `sizeOverflow`.
  mutating func append(_ tensor: GGUFTensorInfo) throws(Failure) {
    let bytes = try tensor.bytes()
    guard let padded = bytes.roundedUp(to: alignment), let next = end.adding(padded) else {
      throw tensor.failure(.sizeOverflow(type: tensor.type, ne: tensor.ne))
    }
    guard positions.updateValue(ranges.count, forKey: GGUFString(tensor.name)) == nil else {
      throw tensor.failure(.duplicateTensor)
    }
    ranges.append(end..<end + bytes)
    end = next
  }
}
