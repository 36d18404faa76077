import JSON

/// One step in writing a family's keys. Keys are named without the architecture's prefix.
enum KeyRule: Sendable {
  /// The keys that most families share, as `StandardKeys` writes them.
  case standard
  /// A number from the first of the configuration's keys that is there; nothing if it is missing or null.
  case integer(String, [String])
  /// The same, but it must be there.
  case requiredInteger(String, [String])
  case float(String, [String])
  case requiredFloat(String, [String])
  /// The same, not written if it is zero.
  case nonzeroFloat(String, [String])
  case nonzeroInteger(String, [String])
  case bool(String, [String])
  /// Written only if it is true.
  case trueBool(String, [String])
  case constant(String, KeyConstant)
  /// What the configuration is taken to say for a key in all that follows.
  case override(String, JSONValue)
  case fileType
  case blockCount
  /// Elements of a head that are rotated: a share of the head size, times the configuration's partial factor or, if it
  /// has none, `factor`.
  case rotaryDimension(factor: Double?)
  /// What one family alone needs.
  case special(SpecialKeys)
}

/// A value that doesn't depend on the configuration.
enum KeyConstant: Sendable {
  case integer(Int)
  case float(Double)
}

/// Keys whose rule is no table entry.
enum SpecialKeys: Sendable {
  case latentAttention
  case rotaryBase
  case slidingWindowOrZero
  case phiRotaryDimension
  case originalContext
  case yarnLogMultiplier
  case leadingDenseBlocks
  case gemmaSlidingWindow
  case nextTokenLayers
}
