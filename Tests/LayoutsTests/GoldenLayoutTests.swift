import ByteIO
import Checkpoints
import Layouts
import TestSupport
import Testing

/// Tensors that Scripts/layouts/make-goldens.py made with modelopt 0.47.0 and AQLM 1.1.7, with what those make of them.
@Suite struct GoldenLayoutTests {
  private static let names = ["aqlm_1x9", "aqlm_2x4_pairs", "aqlm_3x5", "modelopt_int4", "modelopt_int4_scaled"]

  private func checkpoint(_ name: String) throws -> FixtureCheckpoint {
    try FixtureCheckpoint(path: Fixtures.root + "/Tests/LayoutsTests/Goldens/\(name)")
  }

  @Test(arguments: names) func decodesToWhatTheLibrarySays(_ name: String) throws {
    let checkpoint = try checkpoint(name)
    let seen = try checkpoint.opened()
    #expect(seen.tensors.map(\.name) == ["fc.weight"])
    #expect(try checkpoint.values(of: seen, 0) == (try checkpoint.expectedValues("dequant_f32")))
  }

  @Test(arguments: names) func comesBackByteForByte(_ name: String) throws {
    let result = try checkpoint(name).roundTrip()
    #expect(result.differing.isEmpty)
    #expect(result.encodings["fc.weight"]?.hasPrefix("plain") == false)
  }
}
