import ByteIO

/// Where the planes of a record go. Planes whose size is known come first, by role (all codes, then all scales, ...)
/// and within a role by part; the others follow as their chunks come.
struct RecordLayout: Sendable {
  struct PlacedPlane: Sendable {
    var part: Int
    var plane: PlaneLayout
    /// From the start of the record; nil for a plane that is appended.
    var offset: Int?
    /// Index of its first chunk among the record's chunks.
    var firstChunk: Int
  }

  let kind: RecordKind
  /// By part, and within a part in the codec's order.
  private(set) var planes: [PlacedPlane] = []
  /// Index in `planes` of each part's first plane.
  private(set) var firstPlanes: [Int] = []
  private(set) var chunkCount = 0
  /// End of the planes whose size is known, a multiple of 128.
  private(set) var fixedLength = 0
  /// The most bytes that the record can take; exact where nothing is compressed or variable.
  private(set) var maximumLength = 0

  init(kind: RecordKind, parts: [PartLayout]) throws(BaleWriterError) {
    self.kind = kind
    for (index, part) in parts.enumerated() {
      firstPlanes.append(planes.count)
      for plane in part.planes {
        planes.append(PlacedPlane(part: index, plane: plane, offset: nil, firstChunk: 0))
      }
    }
    try place()
  }

  private mutating func place() throws(BaleWriterError) {
    let order = planes.indices.sorted { storageKey(planes[$0], $0) < storageKey(planes[$1], $1) }
    var end = 0
    for index in order {
      let plane = planes[index].plane
      planes[index].firstChunk = chunkCount
      chunkCount += plane.chunkCount
      let size = plane.isFixed ? plane.decodedLength : plane.decodedLength + plane.chunkCount * 127
      guard let next = end.adding(size)?.roundedUp(to: BaleConstants.planeAlignment) else {
        throw .recordTooLarge
      }
      if plane.isFixed {
        planes[index].offset = end
        fixedLength = next
      }
      end = next
    }
    guard let length = end.roundedUp(to: kind.alignment) else { throw .recordTooLarge }
    maximumLength = length
  }

  private func storageKey(_ placed: PlacedPlane, _ index: Int) -> (Int, UInt8, Int) {
    (placed.plane.isFixed ? 0 : 1, placed.plane.role.rawValue, index)
  }

  /// True if the record takes exactly `maximumLength` bytes and `maximumChunkCount` chunks.
  var isExact: Bool { planes.allSatisfy(\.plane.isFixed) }

  /// The most chunks that the record can have, with the padding chunk that an expert record may end with.
  var maximumChunkCount: Int {
    isExact && fixedLength == maximumLength || kind.alignment == BaleConstants.planeAlignment
      ? chunkCount : chunkCount + 1
  }
}
