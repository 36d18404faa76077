/// What a record holds.
public enum RecordKind: Sendable, Hashable {
  /// One tensor, or a part of one.
  case tensor
  /// All parts of one expert of one layer, both counted from 0.
  case expert(layer: Int, expert: Int)
  /// Tensors that decoding experts needs at hand: centroids, shared tables.
  case resident
  /// Bytes of an original file that are no tensor's.
  case file
  /// Nothing: padding before a boundary, or bytes no longer used.
  case void

  var code: UInt8 {
    switch self {
    case .tensor: 0
    case .expert: 1
    case .resident: 2
    case .file: 3
    case .void: 4
    }
  }

  var alignment: Int {
    if case .expert = self { BaleConstants.expertAlignment } else { BaleConstants.planeAlignment }
  }

  /// Nil for a number that this version doesn't define.
  init?(_ row: RecordRow) {
    switch row.kind {
    case 0: self = .tensor
    case 1: self = .expert(layer: Int(row.layer), expert: Int(row.expert))
    case 2: self = .resident
    case 3: self = .file
    case 4: self = .void
    default: return nil
    }
  }
}
