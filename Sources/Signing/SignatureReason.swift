import ByteIO
import JSON

/// What can be wrong with a signature (specs/signing.md, "Errors").
public enum SignatureReason: FaultReason, Error {
  /// Not JSON.
  case text(JSONReason)
  /// A bundle without a member, or with one that isn't what it should be.
  case bundle(String)
  /// A statement without a member, or with one that isn't what it should be.
  case statement(String)
  /// Made with another key than this one, as its hint says.
  case otherKey
  /// The signature isn't one of this statement by this key.
  case signature
  /// The digest of all resources isn't that of the subject.
  case root
  /// A resource's name leaves the model's directory, or stands twice.
  case name(String)
  /// A way to digest files that this version doesn't know.
  case unsupported(String)

  public var description: String {
    switch self {
    case .text(let reason): "not JSON: \(reason)"
    case .bundle(let member): "not a Sigstore bundle with a DSSE envelope: \(member)"
    case .statement(let member): "the signed statement isn't one of a model: \(member)"
    case .otherKey: "the signature was made with another key"
    case .signature: "the signature doesn't hold for this key"
    case .root: "the subject's digest isn't that of the resources"
    case .name(let name): "the name '\(name)' leaves the directory of the model, or stands twice"
    case .unsupported(let what): "\(what) is not supported"
    }
  }
}

public typealias SignatureError = Fault<SignatureReason>

/// A key that can't be used: no PEM, another kind, a password.
public struct KeyError: Error, Equatable, CustomStringConvertible {
  public var path: String
  public var reason: String

  public var description: String { "\(path): \(reason)" }
}
