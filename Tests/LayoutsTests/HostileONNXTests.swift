import ByteIO
import Checkpoints
import Codecs
import Conversion
import Layouts
import TestSupport
import Testing

/// Models with bytes changed at random: read, or refused with an error.
@Suite struct HostileONNXTests {
  private static let folder = Fixtures.root + "/Tests/LayoutsTests/Goldens/onnx"

  @Test(arguments: ["qdq.onnx", "qdq_floats.onnx", "qdq_stored.onnx", "matmulnbits.onnx"])
  func changedBytes(_ model: String) throws {
    let directory = try TemporaryDirectory()
    let original = try Fixtures.bytes("\(Self.folder)/\(model)")
    var random = SplitMix64(seed: 7)
    var opened = 0
    for _ in 0..<150 {
      var bytes = original
      for _ in 0...Int(random.next() % 4) {
        bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
      }
      try FixtureCheckpoint.write(bytes, to: directory.file("model.onnx"))
      guard let checkpoint = try? Layouts.open(directory.file("model.onnx")) else { continue }
      opened += 1
      for index in checkpoint.tensors.indices {
        let reader = SpanReader(checkpoint, tensor: index)
        guard reader.elements <= 1 << 16, let read = try? reader.read(0..<reader.elements) else { continue }
        _ = try? read.values(reader.codec)
      }
      for file in checkpoint.files { _ = try checkpoint.segments(of: file) }
    }
    // Most changes fall in weights.
    #expect(opened > 20)
  }
}
