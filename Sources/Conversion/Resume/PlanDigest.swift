import ByteIO
import Checkpoints

/// The SHA-256 of all that the bytes of an output follow from.
struct PlanDigest {
  private let hash = SHA256()

  func add(_ fields: [String]) {
    for field in fields {
      var length: [UInt8] = []
      length.append(littleEndian: UInt64(field.utf8.count))
      hash.update(length + field.utf8)
    }
  }

  func add(_ bytes: [UInt8]) { hash.update(bytes) }

  /// Adds which file is read, with its size and its time of modification. Throws `IOError`.
  func add(file path: String) throws {
    let file = try InputFile(path)
    add([path, "\(file.size)", "\(file.modified.seconds)", "\(file.modified.nanoseconds)"])
  }

  func finish() -> [UInt8] { hash.finish() }
}
