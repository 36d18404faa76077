import Codecs

extension Codec {
  /// The name that people know a storage by: `BF16` for a plain dtype, else the descriptor.
  public var shortName: String {
    if let plain = self as? PlainCodec { return plain.dtype.rawValue }
    return "\(descriptor)"
  }
}
