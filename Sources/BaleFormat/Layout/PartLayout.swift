import ByteIO
import Codecs

/// How one plane of a part is stored.
public struct PlaneLayout: Sendable, Hashable {
  public var role: PlaneRole
  public var extent: PlaneExtent
  /// True for a plane whose chunks are zstd frames where that makes them smaller.
  public var isCompressed: Bool
  /// Bytes of the whole plane before compression; for a `variable` plane the most that it can take.
  public var decodedLength: Int
  /// Bytes of each chunk but the last; for a `variable` plane the most that it can take.
  public var chunkLength: Int
  public var chunkCount: Int

  /// True if the place of each chunk is known before its bytes are.
  var isFixed: Bool { !isCompressed && extent != .variable }

  /// Decoded bytes of a chunk: exact, but for a `variable` plane the most that it can take.
  public func decodedLength(ofChunk index: Int) -> Int {
    index == chunkCount - 1 ? decodedLength - chunkLength * index : chunkLength
  }

  /// Bytes that a chunk takes in the file, the zeros after it included: appended chunks fill 128 bytes, of a fixed
  /// plane only the end does.
  func extent(ofChunk index: Int, stored: Int) -> Int {
    let alignment = BaleConstants.planeAlignment
    if !isFixed { return (stored + alignment - 1) / alignment * alignment }
    return index == chunkCount - 1 ? stored + (alignment - decodedLength % alignment) % alignment : stored
  }

  /// A plane that is one piece, in chunks of 1 MiB.
  static func whole(_ role: PlaneRole, length: Int, isCompressed: Bool) -> PlaneLayout {
    PlaneLayout(
      role: role, extent: .whole, isCompressed: isCompressed, decodedLength: length,
      chunkLength: BaleConstants.wholeChunk,
      chunkCount: length.dividedRoundingUp(by: BaleConstants.wholeChunk))
  }
}

/// How a part of a tensor is cut into spans and planes: a pure function of the encoding and the shape.
public struct PartLayout: Sendable, Hashable {
  public let elements: Int
  /// Elements of each span but the last.
  public let spanElements: Int
  public let spanCount: Int
  /// In the order of the codec's planes.
  public let planes: [PlaneLayout]

  /// - Parameters:
  ///   - elements: elements of the part, in rows of `columns`.
  ///   - compressed: indices of the codec's planes that are to be zstd frames.
  ///   - spanElements: elements of a span, a multiple of the codec's alignment; nil takes the largest multiple up to
  ///     2^20, or the alignment itself.
  /// Throws `BaleWriterError.spanAlignment`, or `chunkTooLarge` if a span is beyond the limit of a chunk.
  public init(
    codec: any Codec, elements: Int, columns: Int, compressed: Set<Int> = [], spanElements: Int? = nil
  ) throws(BaleWriterError) {
    let alignment = max(1, codec.alignment(columns: columns))
    let span = spanElements ?? alignment * max(1, BaleConstants.spanElements / alignment)
    guard span > 0, span % alignment == 0 else { throw .spanAlignment(span: span, alignment: alignment) }
    self.elements = elements
    self.spanElements = span
    spanCount = elements.dividedRoundingUp(by: span)
    var planes: [PlaneLayout] = []
    for (index, plane) in codec.planes.enumerated() {
      func bytes(_ count: Int) -> Int { codec.bytes(plane: index, elements: count, columns: columns) }
      if plane.extent == .whole {
        planes.append(.whole(plane.role, length: bytes(elements), isCompressed: compressed.contains(index)))
        continue
      }
      let full = bytes(min(span, elements))
      guard full <= BaleConstants.maximumChunk else { throw .chunkTooLarge(bytes: full) }
      let last = spanCount == 0 ? 0 : bytes(elements - span * (spanCount - 1))
      planes.append(
        PlaneLayout(
          role: plane.role, extent: plane.extent, isCompressed: compressed.contains(index),
          decodedLength: full * max(0, spanCount - 1) + last, chunkLength: full, chunkCount: spanCount))
    }
    self.planes = planes
  }

  /// The layout of a file blob: one plane.
  init(blob length: Int, isCompressed: Bool) {
    elements = 0
    spanElements = 1
    spanCount = 0
    planes = [.whole(.codes, length: length, isCompressed: isCompressed)]
  }

  /// Elements of span `index`.
  public func elements(inSpan index: Int) -> Int { min(spanElements, elements - index * spanElements) }
}
