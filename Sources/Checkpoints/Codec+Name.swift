import Codecs

extension Codec {
  /// The name that people know a storage by: `BF16` for a plain dtype, else the descriptor, but for the name of a
  /// reference.
  public var shortName: String {
    if let plain = self as? PlainCodec { return plain.dtype.rawValue }
    var short = descriptor
    short.parameters.removeAll { $0.key == "reference" }
    return "\(short)"
  }
}
