import ByteIO
import JSON

/// What can be wrong with a manifest (specs/manifest.md, "Errors").
public enum ManifestReason: FaultReason, Error {
  /// Not JSON.
  case text(JSONReason)
  /// No `bale_manifest` of version 1.
  case version
  /// A member that isn't there, or isn't what it should be.
  case member(String)
  /// A name that leaves the model's directory, or stands twice.
  case name(String)
  /// Chunks that don't add up to the size.
  case chunks(file: String, expected: Int, found: Int)

  public var description: String {
    switch self {
    case .text(let reason): "not JSON: \(reason)"
    case .version: "not a manifest of version 1: 'bale_manifest' should be 1"
    case .member(let name): "'\(name)' is missing or isn't what it should be"
    case .name(let name): "the name '\(name)' leaves the directory of the model, or stands twice"
    case .chunks(let file, let expected, let found):
      "'\(file)' has digests of \(found) chunks, its size makes \(expected)"
    }
  }
}

public typealias ManifestError = Fault<ManifestReason>
