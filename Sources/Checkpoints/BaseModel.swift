import BaleFormat
import ByteIO
import Codecs
import JSON
import Tensors

/// The model that another one is stored as the difference from: a `.bale` file, named by the roots of its shards.
public struct BaseModel: Sendable {
  /// The member of a `.bale` file's metadata that names the base.
  static let key = "base"

  public let roots: [String]
  let checkpoint: BaleCheckpoint
  private let positions: [String: Int]

  /// Opens a base. Throws the errors of a `.bale` file, and `BaseError.nested` for one that needs a base itself.
  public init(_ path: String) throws {
    checkpoint = try BaleCheckpoint(path)
    guard checkpoint.baseRoots == nil else { throw BaseError.nested(path: path) }
    roots = checkpoint.file.roots.map { hexadecimal($0) }
    positions = Dictionary(checkpoint.tensors.enumerated().map { ($1.name, $0) }) { first, _ in first }
  }

  /// What the metadata of a file packed with this base says of it.
  public var metadata: JSONObject.Member {
    JSONObject.Member(Self.key, ["roots": .array(roots.map { .string($0) })])
  }

  /// The roots that a file's metadata names.
  static func roots(in file: BaleFile) -> [String]? {
    try? JSONValue(parsing: file.metadata)[key]?["roots"]?.array?.compactMap(\.string)
  }

  /// Throws `BaseError` unless this is the base that a file names.
  func check(for file: BaleFile, path: String) throws {
    guard let expected = Self.roots(in: file) else { throw BaseError.none(path: path) }
    guard expected == roots else { throw BaseError.other(path: path, expected: expected, found: roots) }
  }

  /// The values that a tensor is stored as the difference from.
  func reader(of tensor: BaleTensor, _ codec: DeltaCodec, path: String) throws -> PlainReader {
    guard let reader = reader(like: tensor.name, tensor.shape, codec.dtype) else {
      throw BaseError.tensor(path: path, name: tensor.name)
    }
    return reader
  }

  /// The tensor of the same name, shape and float dtype.
  func reader(like name: String, _ shape: Shape, _ dtype: DType) -> PlainReader? {
    guard let position = positions[name], checkpoint.tensors[position].shape == shape,
      let reader = PlainReader(checkpoint, tensor: position), reader.dtype == dtype
    else { return nil }
    return reader
  }
}

/// A base model that is missing, or is another one.
public enum BaseError: BadFileError, Equatable {
  /// The file is stored as a difference from a base, and none was named.
  case missing(path: String, roots: [String])
  /// The base has other roots than the file says.
  case other(path: String, expected: [String], found: [String])
  /// A base was named for a file that has none.
  case none(path: String)
  /// The base is itself stored as a difference.
  case nested(path: String)
  /// The base lacks a tensor.
  case tensor(path: String, name: String)

  public var description: String {
    switch self {
    case .missing(let path, let roots):
      "\(path): stored as the difference from a base with root \(roots.joined(separator: ", ")): name it with --base"
    case .other(let path, let expected, let found):
      "\(path): stored as the difference from a base with root \(expected.joined(separator: ", ")), and --base has "
        + found.joined(separator: ", ")
    case .none(let path): "\(path): needs no base"
    case .nested(let path): "\(path): stored as a difference itself, and can't be a base"
    case .tensor(let path, let name): "\(path): the base has no tensor '\(name)' of this shape and dtype"
    }
  }
}
