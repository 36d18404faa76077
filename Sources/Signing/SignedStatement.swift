import ByteIO
import JSON
import Manifests

/// What a model's signature says: digests of its files, as an in-toto statement with the predicate of OpenSSF model
/// signing 1.0 (github.com/ossf/model-signing-spec).
public struct SignedStatement: Sendable, Equatable {
  static let type = "https://in-toto.io/Statement/v1"
  static let predicateType = "https://model_signing/signature/v1.0"

  /// The model's name: that of its directory or file.
  public var name: String
  /// In the order in which they are signed.
  public var resources: [FileDigest]
  /// Names in the model that are not signed; of a directory, all below it.
  public var ignored: [String]
  public var followsLinks: Bool

  public init(name: String, resources: [FileDigest], ignored: [String], followsLinks: Bool) {
    self.name = name
    self.resources = resources
    self.ignored = ignored
    self.followsLinks = followsLinks
  }

  /// SHA-256 of all digests, one after the other.
  public var root: [UInt8] { SHA256.digest(resources.flatMap(\.sha256)) }

  /// The JSON text that is signed: an in-toto statement 1.0 whose predicate is of model signing 1.0.
  public var encoded: [UInt8] {
    let value: JSONValue = [
      "_type": .string(Self.type),
      "subject": [["name": .string(name), "digest": ["sha256": .string(hexadecimal(root))]]],
      "predicateType": .string(Self.predicateType),
      "predicate": [
        "serialization": [
          "method": "files", "hash_type": "sha256", "allow_symlinks": .bool(followsLinks),
          "ignore_paths": .array(ignored.map { .string($0) }),
        ],
        "resources": .array(
          resources.map {
            ["name": .string($0.name), "algorithm": "sha256", "digest": .string(hexadecimal($0.sha256))]
          }),
      ],
    ]
    return value.encoded(.python(indent: 2))
  }

  /// Reads a statement, and checks that the subject is the resources. Throws `SignatureReason`.
  public init(parsing bytes: [UInt8]) throws(SignatureReason) {
    let value: JSONValue
    do throws(JSONError) { value = try JSONValue(parsing: bytes) } catch { throw .text(error.reason) }
    guard value["_type"]?.string == Self.type else { throw .statement("_type") }
    guard value["predicateType"]?.string == Self.predicateType else { throw .statement("predicateType") }
    guard let subjects = value["subject"]?.array, subjects.count == 1, let name = subjects[0]["name"]?.string,
      let root = subjects[0]["digest"]?["sha256"]?.string
    else { throw .statement("subject") }
    guard let rows = value["predicate"]?["resources"]?.array else { throw .statement("resources") }
    guard let serialization = value["predicate"]?["serialization"] else { throw .statement("serialization") }
    try Self.checkMethod(serialization)
    self.init(
      name: name, resources: try Self.resources(rows),
      ignored: serialization["ignore_paths"]?.array?.compactMap(\.string) ?? [],
      followsLinks: serialization["allow_symlinks"]?.bool ?? false)
    guard root == hexadecimal(self.root) else { throw .root }
  }

  private static func checkMethod(_ serialization: JSONValue) throws(SignatureReason) {
    guard let method = serialization["method"]?.string, let hash = serialization["hash_type"]?.string else {
      throw .statement("serialization")
    }
    guard method == "files" else { throw .unsupported("the serialization '\(method)'") }
    guard hash == "sha256" else { throw .unsupported("the digest '\(hash)'") }
  }

  private static func resources(_ rows: [JSONValue]) throws(SignatureReason) -> [FileDigest] {
    var names: Set<ExactString> = []
    var resources: [FileDigest] = []
    for row in rows {
      guard row["algorithm"]?.string == "sha256", let name = row["name"]?.string,
        let digest = row["digest"]?.string.flatMap(bytes(hexadecimal:)), digest.count == 32
      else { throw .statement("resources") }
      guard name == "." && rows.count == 1 || Path.isContained(name), names.insert(ExactString(name)).inserted else {
        throw .name(name)
      }
      resources.append(FileDigest(name: name, size: 0, sha256: digest))
    }
    return resources
  }
}
