import ByteIO

/// An original file that can be restored.
public struct BaleOriginal: Sendable {
  /// A relative path that stays below the directory it is joined to.
  public let name: String
  public let size: Int
  /// 32 bytes.
  public let sha256: [UInt8]
  /// Where its bytes come from, in order.
  public let segments: [BaleSegment]
}

/// A run of bytes of an original file.
public struct BaleSegment: Sendable {
  public enum Source: Sendable {
    case blob(BaleBlob)
    /// The bytes that the tensor had in its source, as its codec's page defines them.
    case tensor(String)
    case zeros
    /// Bytes that a named layout rebuilds from the tensor.
    case layout(String, tensor: String)
    /// A kind that this version doesn't know: the file can't be restored by it.
    case unknown(UInt8)
  }

  public let source: Source
  /// The range of the source's bytes.
  public let offset: Int
  public let count: Int
}

/// Bytes of original files that belong to no tensor.
public struct BaleBlob: Sendable, Hashable {
  let shard: Int
  let plane: Int
}

extension BaleFile {
  /// The original files, in the order in which they were packed.
  public var originals: [BaleOriginal] {
    shards.flatMap { shard in
      shard.directory.files.map { file in
        let first = Int(file.firstSegment)
        let segments = (first..<first + Int(file.segmentCount)).map { segment(shard.directory.segments[$0], shard) }
        return BaleOriginal(
          name: shard.directory.string(file.name), size: Int(file.size), sha256: file.sha256, segments: segments)
      }
    }
  }

  private func segment(_ row: SegmentRow, _ shard: Shard) -> BaleSegment {
    let home = max(0, Int(row.shard) - 1)
    func tensorName() -> String {
      let directory = shards[home].directory
      return directory.string(directory.tensors[row.index].name)
    }
    let source: BaleSegment.Source =
      switch SegmentRow.Kind(rawValue: row.kind) {
      case .blob: .blob(BaleBlob(shard: home, plane: Int(row.index)))
      case .tensor: .tensor(tensorName())
      case .zeros: .zeros
      case .layout: .layout(shard.directory.string(row.layout), tensor: tensorName())
      case nil: .unknown(row.kind)
      }
    return BaleSegment(source: source, offset: Int(clamping: row.offset), count: Int(row.count))
  }

  /// Gives a range of a blob's bytes to `body`, piece by piece of at most 1 MiB.
  public func readBlob(_ blob: BaleBlob, _ range: Range<Int>, _ body: (ArraySlice<UInt8>) throws -> Void) throws {
    let directory = shards[blob.shard].directory
    let plane = RowView(shard: blob.shard, directory: directory).plane(directory.planes[blob.plane])
    guard !range.isEmpty, range.lowerBound >= 0, range.upperBound <= plane.decodedLength else { return }
    let size = BaleConstants.wholeChunk
    for index in range.lowerBound / size...(range.upperBound - 1) / size {
      let bytes = try ChunkReader(shards[blob.shard])
        .read(plane.chunks.lowerBound + index, isCompressed: plane.isCompressed, tensor: nil)
      let start = index * size
      try body(bytes[max(0, range.lowerBound - start)..<min(bytes.count, range.upperBound - start)])
    }
  }
}
