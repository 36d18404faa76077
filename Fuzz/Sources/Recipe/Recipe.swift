import Conversion
import FuzzSupport

/// A recipe: what is accepted says the same when written and read again, and matches names in bounded time.
/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard let recipe = try? Recipe(parsing: fuzzInput(data, count), file: "input") else { return 0 }
  let again = try? Recipe(parsing: Array(recipe.text.utf8), file: "input")
  require(again == recipe, "a recipe that changes when it is written")
  _ = recipe.treatment(name: "model.layers.12.mlp.shared.gate_proj.weight", role: .linear)
  return 0
}
