import Checkpoints
import Codecs
import JSON
import Tensors

/// A layout of another library that can be written.
public protocol LayoutWriter: Sendable {
  /// What people call it on the command line.
  var name: String { get }

  /// What the names of the tensors that it quantizes end with, and the stored tensors don't.
  var suffix: String { get }

  /// True if a tensor of this name and shape is one of those that the layout is for, whatever its encoding.
  func takes(_ name: String, _ shape: Shape) -> Bool

  /// The encoding that plain weights get unless another is asked for.
  var defaultEncoding: any Codec { get }

  /// The encoding that the layout holds with the very values of this one; nil if it has none.
  func exactEncoding(for codec: any Codec) -> (any Codec)?

  /// True if a tensor of this shape can be stored by the layout in this encoding; others stay plain.
  func holds(_ shape: Shape, as codec: any Codec) -> Bool

  /// The stored tensors of a logical one, whose name is `module` and the suffix. Throws `CodecError`.
  func stored(_ module: String, shape: Shape, codec: any Codec) throws(CodecError) -> [WrittenTensor]

  /// What config.json says of it: members that replace those of the same key.
  /// - Parameters:
  ///   - columns: of a matrix in this encoding.
  ///   - plain: modules whose weights stayed plain.
  func configuration(_ codec: any Codec, columns: Int, plain: [String]) -> [(key: String, value: JSONValue)]
}

extension LayoutWriter {
  public var suffix: String { ".weight" }

  public func takes(_ name: String, _ shape: Shape) -> Bool { name.hasSuffix(suffix) }
}

/// A tensor as it will be stored.
public struct WrittenTensor: Sendable {
  public var name: String
  public var dtype: DType
  public var shape: [Int]
  public var content: Content

  public enum Content: Sendable {
    /// Made from a plane of the logical tensor.
    case plane(Arrangement)
    case bytes([UInt8])
    /// Text made from all bytes of a plane once they are known, filled up with spaces to a length.
    case text(length: Int, plane: Int, @Sendable (UnsafeRawBufferPointer) -> [UInt8])
  }

  public init(_ name: String, _ dtype: DType, _ shape: [Int], _ content: Content) {
    self.name = name
    self.dtype = dtype
    self.shape = shape
    self.content = content
  }
}

/// The layouts that are written.
public enum LayoutWriters {
  public static let all: [any LayoutWriter] =
    [
      GPTQWriter(), AWQWriter(), CompressedTensorsWriter(), MLXWriter(), NF4Writer(), BitNetWriter(), GPTOSSWriter(),
    ] + WrittenFloatLayout.allCases

  /// The writer of that name, whatever its case.
  public static func find(_ name: String) -> (any LayoutWriter)? { all.first { $0.name == name.lowercased() } }
}

extension ScalarFloat {
  var dtype: DType { DType(rawValue: rawValue) ?? .f32 }
}

/// What writers of integers ask of an encoding: its plain groups, or nil where it has others.
struct IntegerGroups {
  let codec: IntegerCodec
  let scale: ScalarFloat
  /// Elements a group; nil for a row.
  let size: Int?

  init?(_ codec: any Codec) {
    guard let codec = codec as? IntegerCodec, case .float(let scale) = codec.scale else { return nil }
    switch codec.grouping {
    case .elements(let count): size = count
    case .row: size = nil
    case .column: return nil
    }
    self.codec = codec
    self.scale = scale
  }

  func count(columns: Int) -> Int { size.map { (columns + $0 - 1) / $0 } ?? 1 }

  /// The same with other zero points, and scales.
  func with(_ zero: IntegerCodec.Zero, scale: ScalarFloat? = nil) -> (any Codec)? {
    try? IntegerCodec(
      bits: codec.bits, grouping: codec.grouping, scale: scale.map { .float($0) } ?? codec.scale, zero: zero)
  }
}
