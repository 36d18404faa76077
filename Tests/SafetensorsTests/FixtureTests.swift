import Safetensors
import TestSupport
import Testing

@Suite(.enabled(if: Fixtures.hasShared, "shared/ is not beside the checkout"))
struct FixtureTests {
  /// Files of the Rust library, its Python binding and of MLX.
  static let files = [
    "fixtures/safetensors-writer/all_dtypes.safetensors", "fixtures/tables/minifloat_tables.safetensors",
    "fixtures/sharded/model-00001-of-00003.safetensors", "models/tiny/model.safetensors",
  ]

  @Test(arguments: files) func rewritesToTheSameBytes(_ name: String) throws {
    let path = Fixtures.shared(name)
    let file = try SafetensorsFile(path)
    let tensors = try file.tensors.map {
      SafetensorsWriter.Tensor(.init($0.name, $0.dtype, $0.shape), try file.bytes(of: $0))
    }
    #expect(try SafetensorsWriter.encode(tensors.reversed(), metadata: file.metadata) == Fixtures.bytes(path))
  }

  @Test func readsWhatMLXWrites() throws {
    let file = try SafetensorsFile(Fixtures.shared("fixtures/mlx/mlx_writer.safetensors"))
    #expect(file.metadata == [.init("format", "mlx")])
    #expect(file.tensors.map(\.name) == ["a", "b", "c"])
    #expect(file.header.dataOrder == [2, 0, 1])
    let bare = try SafetensorsFile(Fixtures.shared("fixtures/mlx/mlx_writer_nometa.safetensors"))
    #expect(bare.metadata == nil)
    #expect(try bare["b"].map(bare.bytes(of:)) == [1, 2, 3])
  }
}
