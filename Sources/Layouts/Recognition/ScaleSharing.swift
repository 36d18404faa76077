import ByteIO
import Codecs

/// Which elements of a tensor share a scale by the rules of DequantizeLinear: all, those at one place of an axis, or
/// blocks along an axis.
enum ScaleSharing: Equatable {
  case tensor
  /// One of `count` along an axis, which each serves `inner` elements in a row, `outer` times over.
  case axis(outer: Int, count: Int, inner: Int)
  /// Blocks of `size` out of `length` along an axis.
  case blocks(size: Int, outer: Int, length: Int, inner: Int)

  /// Nil where the scales have another shape than the axis and the blocks ask for.
  /// - Parameter block: 0 where there are none.
  init?(_ dimensions: [Int], scales: [Int], axis: Int, block: Int) {
    let count = scales.reduce(Optional(1)) { $0?.multiplied(by: $1) }
    guard let count else { return nil }
    if block == 0, scales.isEmpty || scales == [1] {
      self = .tensor
      return
    }
    let axis = axis < 0 ? axis.adding(dimensions.count) ?? -1 : axis
    guard dimensions.indices.contains(axis) else { return nil }
    // The whole shape is counted: so are its parts.
    let outer = dimensions[..<axis].reduce(1, *)
    let inner = dimensions[(axis + 1)...].reduce(1, *)
    let length = dimensions[axis]
    if block == 0 {
      guard scales == [length] else { return nil }
      self = .axis(outer: outer, count: count, inner: inner)
      return
    }
    var expected = dimensions
    guard block > 0 else { return nil }
    expected[axis] = length.dividedRoundingUp(by: block)
    guard scales == expected else { return nil }
    self = .blocks(size: block, outer: outer, length: length, inner: inner)
  }

  /// The groups of an integer encoding, and how its scales are made of the stored ones where they aren't the same.
  /// - Parameter isAligned: true if every row of codes starts on a byte.
  func grouping(columns: Int, isAligned: Bool) -> (grouping: IntegersCodec.Grouping, order: Order) {
    switch self {
    case .tensor: return (isAligned ? .tensor : .strided(1), .same)
    case .axis(_, let count, 1): return (.strided(count), .same)
    case .axis(1, _, let inner):
      return (isAligned && inner == columns ? .row : .flat(inner), .same)
    case .axis(let outer, let count, let inner):
      return (.flat(inner), .repeated(outer: outer, count: count))
    case .blocks(let size, _, _, 1) where isAligned: return (.elements(size), .same)
    case .blocks(let size, let outer, let length, let inner)
    where isAligned && inner == columns && (outer == 1 || length % size == 0):
      return (.rows(size), .same)
    case .blocks(let size, _, let length, let inner):
      return (.flat(1), .spread(size: size, length: length, inner: inner))
    }
  }

  /// What becomes of the scales.
  enum Order: Equatable {
    case same
    /// All of them, several times over.
    case repeated(outer: Int, count: Int)
    /// One for each element.
    case spread(size: Int, length: Int, inner: Int)

    /// For each scale of the encoding, the stored one.
    func indices(elements: Int) -> [Int] {
      switch self {
      case .same: []
      case .repeated(let outer, let count): (0..<outer * count).map { $0 % count }
      case .spread(let size, let length, let inner):
        (0..<elements).map { element in
          let (slice, place) = (element / (length * inner), element / inner % length)
          let blocks = length.dividedRoundingUp(by: size)
          return (slice * blocks + place / size) * inner + element % inner
        }
      }
    }

    /// Scales of the encoding where they aren't the stored ones.
    func count(elements: Int) -> Int {
      switch self {
      case .same: 0
      case .repeated(let outer, let count): outer * count
      case .spread: elements
      }
    }
  }

  /// The rectangles of an FP8 encoding; nil where none serve.
  func sides(columns: Int) -> (rows: FP8Codec.Side, columns: FP8Codec.Side)? {
    switch self {
    case .tensor: return (.all, .all)
    case .axis(_, _, 1): return (.all, .count(1))
    case .axis(1, _, let inner) where columns > 0 && inner % columns == 0 && inner > 0:
      return (.count(inner / columns), .all)
    case .blocks(let size, _, _, 1): return (.count(1), .count(size))
    case .blocks(let size, let outer, let length, let inner)
    where inner == columns && (outer == 1 || length % size == 0):
      return (.count(size), .count(1))
    default: return nil
    }
  }
}
