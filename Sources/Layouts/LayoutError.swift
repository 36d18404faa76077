import ByteIO

/// What keeps stored tensors from being read as the layout that they seem to be in (specs/layouts.md).
public enum LayoutReason: FaultReason {
  /// A tensor that the layout needs is not there.
  case missing(String)
  /// A stored tensor has another shape than the others ask for.
  case shape(stored: String, found: [Int], expected: String)
  /// A stored tensor has a dtype that the layout doesn't know.
  case dtype(stored: String, found: String, expected: String)
  /// The configuration says something else than the tensors.
  case disagreement(String)
  /// A value of the configuration, or of a tensor that describes others, can't be used.
  case value(String)
  /// The layout is known and can't be read: what to do instead.
  case unreadable(layout: String, remedy: String)

  public var description: String {
    switch self {
    case .missing(let name): "'\(name)' is missing"
    case .shape(let stored, let found, let expected): "'\(stored)' has the shape \(found); expected \(expected)"
    case .dtype(let stored, let found, let expected): "'\(stored)' is \(found); expected \(expected)"
    case .disagreement(let text): "the configuration and the tensors disagree: \(text)"
    case .value(let text): text
    case .unreadable(let layout, let remedy): "\(layout) can't be read: \(remedy)"
    }
  }
}

public typealias LayoutError = Fault<LayoutReason>
