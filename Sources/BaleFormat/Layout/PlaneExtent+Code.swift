import Codecs

extension PlaneExtent {
  /// Its number in plane rows.
  var code: UInt8 {
    switch self {
    case .perSpan: 0
    case .variable: 1
    case .whole: 2
    }
  }

  init?(code: UInt8) {
    switch code {
    case 0: self = .perSpan
    case 1: self = .variable
    case 2: self = .whole
    default: return nil
    }
  }
}
