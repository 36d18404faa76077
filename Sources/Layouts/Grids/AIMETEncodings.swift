import ByteIO
import Checkpoints
import JSON
import Tensors

/// Weights of AIMET, still floats, and the grids of their `.encodings` file beside: versions up to 0.6.1, 1.0.0 and
/// 2.0.0 to 2.1.0.
struct AIMETEncodings: Layout {
  let name = "AIMET"

  private static let limit = 256 << 20

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    var found: [LogicalTensor] = []
    var grids: [String: GridEncoding] = [:]
    for name in try Self.files(stored.checkpoint) {
      let file = try AIMETFile(try Self.document(name, stored))
      for (tensor, entry) in file.entries {
        guard let weight = stored[tensor], let grid = try encoding(entry, file, weight, stored) else { continue }
        if let other = grids.updateValue(grid, forKey: tensor) {
          guard other == grid else {
            throw stored.fault(.disagreement("two .encodings files give it two grids"), tensor)
          }
          continue
        }
        let layout = "AIMET \(file.version) int\(grid.bits)"
        found.append(try grid.logical(weight, rule: .divided, layout: layout, companions: [], stored))
      }
    }
    return found
  }

  private func encoding(
    _ entry: JSONValue, _ file: AIMETFile, _ weight: StoredTensor, _ stored: StoredTensors
  ) throws(LayoutError) -> GridEncoding? {
    do throws(AIMETFile.Refusal) {
      return try file.encoding(entry, shape: weight.shape)
    } catch {
      throw stored.fault(
        error.isKnown
          ? .unreadable(layout: "AIMET's \(error.reason)", remedy: "pack it as it is into a .bale")
          : .value("its encoding of AIMET can't be read: \(error.reason)"), weight.name)
    }
  }

  /// Those of a directory, in order of their names; of a single file the one that is named like it.
  private static func files(_ checkpoint: any FileCheckpoint) throws -> [String] {
    let suffix = ".encodings"
    if Path.isDirectory(checkpoint.path) { return checkpoint.files.map(\.name).filter { $0.hasSuffix(suffix) } }
    let name = Path.name(of: checkpoint.path)
    let stem = name.split(separator: ".").dropLast().joined(separator: ".")
    return Path.exists(Path.join(checkpoint.directory, stem + suffix)) ? [stem + suffix] : []
  }

  private static func document(_ name: String, _ stored: StoredTensors) throws -> JSONValue {
    let file = try InputFile(Path.join(stored.checkpoint.directory, name))
    guard file.size <= limit else { throw stored.fault(.value("'\(name)' is longer than \(limit) bytes"), nil) }
    do {
      return try JSONValue(parsing: try file.bytes(0..<file.size), duplicateKeys: .kept)
    } catch let error as JSONError {
      throw stored.fault(.value("'\(name)' is not JSON: \(error)"), nil)
    }
  }
}
