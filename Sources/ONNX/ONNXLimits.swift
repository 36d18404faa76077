/// What a reader allocates for at most, whatever a file says.
enum ONNXLimits {
  /// Bytes of a name or a path.
  static let text = 1 << 16
  static let nodes = 1 << 20
  static let tensors = 1 << 20
  static let dimensions = 32
  /// Bytes of a tensor that is read as a whole: scales, zero points, what is stored number by number.
  static let numbers = 1 << 26
}
