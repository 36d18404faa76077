import GGUF
import JSON

/// What is known of a model beside its tensors: from the model card, then from config.json's `_name_or_path`, then from
/// the directory's name; what an earlier source says stands.
struct ModelDetails {
  /// Texts by their key below `general.`.
  private var texts: [String: String] = [:]
  private var baseModels: [[String: String]]?
  private var datasets: [[String: String]]?
  private var tags: [String]?
  private var languages: [String]?

  var sizeLabel: String? {
    get { texts["size_label"] }
    set { texts["size_label"] = newValue }
  }

  mutating func read(_ model: HuggingFaceModel, parameters: Int) {
    if let card = model.modelCard { read(card, parameters: parameters) }
    if let path = model.config["_name_or_path"]?.string, path.count(where: { $0 == "/" }) <= 1 {
      add(ModelIdentifier(path, parameters: parameters))
    }
    add(ModelIdentifier(model.directoryName, parameters: parameters))
  }

  private mutating func add(_ identifier: ModelIdentifier) {
    fill("name", ModelIdentifier.title(identifier.fullName))
    fill("organization", identifier.organization.map(ModelIdentifier.title))
    fill("basename", identifier.baseName)
    fill("finetune", identifier.fineTune)
    fill("version", identifier.version)
    fill("size_label", identifier.sizeLabel)
  }

  private mutating func fill(_ key: String, _ value: String?) {
    if texts[key] == nil, let value { texts[key] = value }
  }

  private mutating func read(_ card: ModelCard, parameters: Int) {
    let own = [
      ("name", "name"), ("author", "author"), ("version", "version"), ("organization", "organization"),
      ("description", "description"), ("finetune", "finetune"), ("basename", "basename"),
      ("size_label", "size_label"), ("source.url", "url"), ("source.doi", "doi"), ("source.uuid", "uuid"),
      ("source.repo_url", "repo_url"),
    ]
    for (key, name) in own { fill(key, card.text(name)) }
    for (key, name) in own { fill(key, card.text("model_\(name)")) }
    fill("author", card.text("model_creator"))
    fill("basename", card.text("model_type"))
    baseModels = card.list(["base_model", "base_models", "base_model_sources"])?.map { Self.entry($0, parameters) }
    datasets = card.list(["datasets", "dataset", "dataset_sources"])?.map { Self.entry($0, parameters) }
    fill("license", card.list(["license"])?.joined(separator: ","))
    fill("license.name", card.text("license_name"))
    fill("license.link", card.text("license_link"))
    tags = Self.joined(card.list(["tags"]), card.list(["pipeline_tag"]))
    languages = Self.joined(card.list(["languages"]), card.list(["language"]))
  }

  private static func joined(_ first: [String]?, _ second: [String]?) -> [String]? {
    first == nil && second == nil ? nil : (first ?? []) + (second ?? [])
  }

  /// What is told of a model or a data set by its identifier or address.
  private static func entry(_ identifier: String, _ parameters: Int) -> [String: String] {
    var entry: [String: String] = [:]
    var hubName: Substring? = Substring(identifier)
    let isAddress = ["http://", "https://", "ssh://"].contains { identifier.hasPrefix($0) }
    if isAddress {
      entry["repo_url"] = identifier
      hubName = nil
      for prefix in ["https://huggingface.co/", "http://huggingface.co/"] where identifier.hasPrefix(prefix) {
        let rest = identifier.dropFirst(prefix.count).split(separator: "/", omittingEmptySubsequences: false)
        if rest.count == 2, rest.allSatisfy({ !$0.isEmpty }) { hubName = identifier.dropFirst(prefix.count) }
      }
    }
    guard let hubName else { return entry }
    let parts = ModelIdentifier(String(hubName), parameters: parameters)
    entry["name"] = ModelIdentifier.title(parts.fullName)
    entry["organization"] = parts.organization.map(ModelIdentifier.title)
    entry["version"] = parts.version
    if !isAddress, let organization = parts.organization {
      entry["repo_url"] = "https://huggingface.co/\(organization)/\(parts.fullName)"
    }
    return entry
  }

  func write(into metadata: inout GGUFMetadata) {
    let order = [
      "name", "author", "version", "organization", "finetune", "basename", "description", "size_label", "license",
      "license.name", "license.link", "source.url", "source.doi", "source.uuid", "source.repo_url",
    ]
    for key in order {
      if let text = texts[key], !text.isEmpty { metadata["general.\(key)"] = .string(text) }
    }
    write(baseModels, "base_model", into: &metadata)
    write(datasets, "dataset", into: &metadata)
    for (key, values) in [("tags", tags), ("languages", languages)] {
      if let values, !values.isEmpty { metadata["general.\(key)"] = .array(.string(GGUFStrings(values))) }
    }
  }

  private func write(_ entries: [[String: String]]?, _ kind: String, into metadata: inout GGUFMetadata) {
    guard let entries else { return }
    metadata["general.\(kind).count"] = .uint32(UInt32(truncatingIfNeeded: entries.count))
    for (index, entry) in entries.enumerated() {
      for key in ["name", "version", "organization", "repo_url"] {
        if let text = entry[key], !text.isEmpty { metadata["general.\(kind).\(index).\(key)"] = .string(text) }
      }
    }
  }
}
