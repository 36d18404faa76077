import ByteIO
import Tensors

/// Elements of eight bits under scales that each serve a rectangle of the tensor: the whole of it, a row (a channel),
/// or a block such as 128 x 128. `fp8:element=E4M3,scale=F32,rows=128,columns=128` (specs/codecs/fp8.md).
public struct FP8Codec: TensorStatisticCodec, Hashable {
  /// The side of a rectangle.
  public enum Side: Sendable, Hashable, CustomStringConvertible {
    case all
    case count(Int)

    public var description: String {
      switch self {
      case .all: "all"
      case .count(let count): "\(count)"
      }
    }

    /// Rectangles along a side of `length`.
    func blocks(_ length: Int) -> Int {
      switch self {
      case .all: length > 0 ? 1 : 0
      case .count(let count): length.dividedRoundingUp(by: count)
      }
    }

    /// The length of a rectangle along a side of `length`.
    func extent(_ length: Int) -> Int {
      switch self {
      case .all: max(length, 1)
      case .count(let count): count
      }
    }
  }

  public let element: FP8Element
  public let scale: FP8Scale
  /// Rows and columns that share a scale; the last rectangle of either side may be short.
  public let rows: Side
  public let columns: Side

  /// The longest side of a rectangle that isn't a whole side of the tensor.
  public static let longestSide = 1 << 32

  /// Throws `CodecError.descriptor` on a side that isn't from 1 to 2^32.
  public init(
    _ element: FP8Element = .e4m3, scale: FP8Scale = .f32, rows: Side = .all, columns: Side = .all
  ) throws(CodecError) {
    self.element = element
    self.scale = scale
    self.rows = rows
    self.columns = columns
    for side in [rows, columns] {
      if case .count(let count) = side, !(1...Self.longestSide).contains(count) {
        throw .descriptor("\(descriptor)", reason: "a side should be 'all' or from 1 to \(Self.longestSide)")
      }
    }
  }

  init(_ reader: inout DescriptorReader) throws(CodecError) {
    let (element, scale): (FP8Element, FP8Scale) = (
      try reader.choice("element", default: .e4m3), try reader.choice("scale", default: .f32)
    )
    let (rows, columns) = (try Self.side("rows", &reader), try Self.side("columns", &reader))
    try self.init(element, scale: scale, rows: rows, columns: columns)
  }

  private static func side(_ key: String, _ reader: inout DescriptorReader) throws(CodecError) -> Side {
    guard let text = reader.text(key), text != "all" else { return .all }
    guard let count = Int(text) else {
      throw .descriptor("fp8", reason: "\(key) should be 'all' or a number, not '\(text)'")
    }
    return .count(count)
  }

  public var descriptor: CodecDescriptor {
    CodecDescriptor(
      "fp8",
      ["element": element.rawValue, "scale": scale.rawValue, "rows": "\(rows)", "columns": "\(columns)"])
  }

  public var planes: [Plane] { [Plane(.codes), Plane(.scales, rows == .all ? .whole : .perSpan)] }

  /// One scale for all may be cut anywhere; else a span is whole rows of rectangles.
  public func alignment(columns: Int) -> Int {
    guard case .count(let rows) = rows else { return self.columns == .all ? 1 : max(columns, 1) }
    return rows.multiplied(by: max(columns, 1)) ?? .max
  }

  public func check(_ shape: Shape) throws(CodecError) { try checkCountable(shape) }

  public func bytes(plane: Int, elements: Int, columns: Int) -> Int {
    if plane == 0 { return elements }
    let across = self.columns.blocks(columns)
    guard case .count(let rows) = rows else { return max(across, 1) * scale.bytes }
    let height = columns > 0 ? elements.dividedRoundingUp(by: columns) : 0
    return height.dividedRoundingUp(by: rows) * across * scale.bytes
  }
}
