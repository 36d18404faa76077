import ByteIO

/// What keeps a file of `torch.save` from being read (specs/torch.md).
public enum TorchReason: FaultReason, Error {
  /// No ZIP archive, or one with tables that contradict its size.
  case archive(String)
  /// An entry that should be there is not.
  case missing(String)
  /// A pickle that asks for more than plain tensors, lists, tuples, dictionaries, numbers and strings.
  case pickle(String)
  /// What the pickle describes isn't what a reader needs.
  case value(String)

  public var description: String {
    switch self {
    case .archive(let text): "this is no archive of torch.save: \(text)"
    case .missing(let name): "'\(name)' is missing"
    case .pickle(let text): "its pickle is not read: \(text)"
    case .value(let text): text
    }
  }
}

public typealias TorchError = Fault<TorchReason>
