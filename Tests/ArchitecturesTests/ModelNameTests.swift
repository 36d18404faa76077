import GGUF
import JSON
import TestSupport
import Testing

@testable import Architectures

/// Names taken apart and counts rounded as gguf-py 0.19.0 does it: NameGoldens/names.json holds the arguments and
/// results of `Metadata.get_model_id_components` (the name as a title) and `model_weight_count_rounded_notation`.
struct ModelNameTests {
  private func golden(_ key: String) throws -> [JSONValue] {
    let path = Fixtures.root + "/Tests/ArchitecturesTests/NameGoldens/names.json"
    return try #require(JSONValue(parsing: Fixtures.bytes(path))[key]?.array)
  }

  @Test func names() throws {
    for row in try golden("names") {
      let name = try #require(row[0]?.string)
      let found = ModelIdentifier(name, parameters: try #require(row[1]?.int))
      let parts = [
        ModelIdentifier.title(found.fullName), found.organization, found.baseName, found.fineTune, found.version,
        found.sizeLabel,
      ]
      let expected = (2..<8).map { row[$0]?.string }
      #expect(parts == expected, "\(name), \(row[1]?.int ?? 0)")
    }
  }

  @Test func counts() throws {
    for row in try golden("counts") {
      #expect(ParameterCount.rounded(try #require(row[0]?.int)) == row[1]?.string)
    }
  }

  @Test func modelCard() throws {
    let readme = """
      ---
      license: apache-2.0 # a comment
      language:
      - en
      - "no"
      tags: [moe, 'text']
      pipeline_tag: text-generation
      base_model: mistralai/Mixtral-8x7B-v0.1
      nested:
        license: other
      ---
      # Title
      """
    let card = try #require(ModelCard(readme: readme))
    var details = ModelDetails()
    details.read(HuggingFaceModel(directoryName: "my-model", config: [:], modelCard: card), parameters: 0)
    var metadata = GGUFMetadata()
    details.write(into: &metadata)
    let texts = metadata.entries.map { "\($0.key)=\($0.value.text ?? $0.value.integer.map(String.init) ?? "list")" }
    #expect(
      texts == [
        "general.name=My Model", "general.license=apache-2.0", "general.base_model.count=1",
        "general.base_model.0.name=Mixtral 8x7B v0.1", "general.base_model.0.version=v0.1",
        "general.base_model.0.organization=Mistralai",
        "general.base_model.0.repo_url=https://huggingface.co/mistralai/Mixtral-8x7B-v0.1", "general.tags=list",
        "general.languages=list",
      ])
    #expect(
      metadata.strings("general.tags")?.map { String(decoding: $0, as: UTF8.self) } == [
        "moe", "text", "text-generation",
      ])
    #expect(metadata.strings("general.languages")?.map { String(decoding: $0, as: UTF8.self) } == ["en", "no"])
    #expect(ModelCard(readme: "# no front matter") == nil)
  }
}
