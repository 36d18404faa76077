import Checkpoints
import Codecs

/// How many tensors, elements and bytes share a role and an encoding: a row of what `inspect` prints.
public struct EncodingSummary: Sendable, Equatable {
  public var role: String
  public var encoding: String
  public var tensors: Int
  public var elements: Int
  /// Bytes in the container, after any compression.
  public var bytes: Int

  public var bitsPerWeight: Double { elements == 0 ? 0 : Double(bytes) * 8 / Double(elements) }

  /// The rows of a checkpoint, in the order in which its tensors first show them.
  public static func rows(of tensors: [CheckpointTensor]) -> [EncodingSummary] {
    var rows: [EncodingSummary] = []
    var positions: [[String]: Int] = [:]
    for tensor in tensors {
      let encoding = tensor.codec.shortName
      let key = [tensor.role.word, encoding]
      if positions[key] == nil {
        positions[key] = rows.count
        rows.append(EncodingSummary(role: key[0], encoding: encoding, tensors: 0, elements: 0, bytes: 0))
      }
      let position = positions[key] ?? 0
      rows[position].tensors += 1
      rows[position].elements += tensor.shape.elements
      rows[position].bytes += tensor.storedBytes
    }
    return rows
  }
}
