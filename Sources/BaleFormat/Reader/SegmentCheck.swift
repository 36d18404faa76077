import ByteIO

/// Checks that the segments of original files name bytes that exist, over all shards.
struct SegmentCheck {
  let shards: [BaleFile.Shard]

  func check() throws(BaleError) {
    for shard in shards {
      let directory = shard.directory
      for row in directory.segments.indices where !exists(directory.segments[row], isSet: directory.shard != nil) {
        throw BaleError(.segment(row: row), file: directory.path)
      }
    }
  }

  private func exists(_ segment: SegmentRow, isSet: Bool) -> Bool {
    // A kind of a later version: the file can't be restored, the rest can be read.
    guard let kind = SegmentRow.Kind(rawValue: segment.kind) else { return true }
    if kind == .zeros { return segment.shard == 0 && segment.index == 0 && segment.offset == 0 }
    let number = Int(segment.shard)
    guard isSet ? (1...shards.count).contains(number) : number == 0 else { return false }
    let directory = shards[max(0, number - 1)].directory
    guard let end = segment.offset.adding(segment.count), end <= UInt64(Int.max) else { return false }
    guard kind == .blob else { return segment.index < directory.tensors.count && fits(segment, end, directory) }
    guard segment.index < directory.planes.count else { return false }
    let plane = directory.planes[segment.index]
    return plane.part == BaleConstants.none && end <= plane.decoded
  }

  /// A tensor of a plain dtype has as many bytes in its source form as its elements take.
  private func fits(_ segment: SegmentRow, _ end: UInt64, _ directory: Directory) -> Bool {
    let row = directory.tensors[segment.index]
    guard segment.kind == SegmentRow.Kind.tensor.rawValue, let dtype = DTypeCode.dtype(row.dtype) else { return true }
    let elements = RowView(shard: 0, directory: directory).shape(row).elements
    return dtype.bytes(elements: elements).map { end <= UInt64($0) } ?? false
  }
}
