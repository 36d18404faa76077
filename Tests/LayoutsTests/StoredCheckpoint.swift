import Checkpoints
import Layouts
import Safetensors
import Tensors
import TestSupport
import Testing

/// A directory made of stored tensors whose every byte is 1, and what opening it says.
struct StoredCheckpoint {
  typealias Stored = (name: String, dtype: DType, shape: [Int])

  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  func open(_ tensors: [Stored], config: String? = nil) throws -> any Checkpoint {
    let entries = try tensors.map { tensor in
      let shape = try #require(Shape(tensor.shape))
      let bytes = [UInt8](repeating: 1, count: tensor.dtype.bytes(elements: shape.elements) ?? 0)
      return SafetensorsWriter.Tensor(SafetensorsTensorSpec(tensor.name, tensor.dtype, shape), bytes)
    }
    try SafetensorsWriter.write(entries, to: directory.file("model.safetensors"), overwrite: true)
    if let config { try FixtureCheckpoint.write(Array(config.utf8), to: directory.file("config.json")) }
    return try Layouts.open(directory.path)
  }

  /// The error of opening these tensors; nil if they open, or if another kind of error stops it, which is recorded.
  func error(_ tensors: [Stored], config: String? = nil) -> LayoutError? {
    do {
      _ = try open(tensors, config: config)
      return nil
    } catch let error as LayoutError {
      return error
    } catch {
      Issue.record(error)
      return nil
    }
  }
}
