import ByteIO
import JSON

/// A layout that is recognised, and whose tensors can't be read as values: named, with what to do instead.
public struct UnreadableLayout: BadFileError, Equatable {
  public var path: String
  /// The tensor, where it isn't the whole checkpoint.
  public var tensor: String?
  public var layout: String
  public var remedy: String

  public var description: String {
    "\(path)\(tensor.map { ", tensor '\($0)'" } ?? ""): \(layout) can't be read as values: \(remedy)"
  }

  /// What an error says that isn't about damage; nil for any other.
  init?(_ error: LayoutError) {
    guard case .unreadable(let layout, let remedy) = error.reason else { return nil }
    (path, tensor, self.layout, self.remedy) = (error.file, error.tensor, layout, remedy)
  }

  /// Nil if nothing of the kind is found.
  init?(_ stored: StoredTensors) {
    guard let found = Self.byConfiguration(stored.configuration) ?? Self.byNames(stored) else { return nil }
    path = stored.checkpoint.path
    layout = found.layout
    remedy = found.remedy
  }

  private typealias Finding = (layout: String, remedy: String)

  private static let repacked =
    "its weights are repacked for one GPU kernel; convert the checkpoint that it was made of"
  private static let pack = "dequantize it with its own library, or pack it as it is into a .bale"

  private static let methods: [String: String] = [
    "eetq": "EETQ", "higgs": "HIGGS", "spqr": "SpQR of transformers", "fp_quant": "FP-Quant", "sinq": "SINQ",
    "exl2": "EXL2", "exl3": "EXL3", "qqq": "QQQ", "paroquant": "ParoQuant", "vptq": "VPTQ", "marlin": "Marlin",
    "bitblas": "BitBLAS",
  ]

  private static func byConfiguration(_ configuration: QuantizationConfiguration) -> Finding? {
    if let method = configuration.method, let name = methods[method] { return (name, pack) }
    let format = configuration.string("checkpoint_format", "format")?.lowercased() ?? ""
    for (key, name) in [("marlin", "Marlin"), ("bitblas", "BitBLAS"), ("qqq", "QQQ")] where format.hasPrefix(key) {
      return (name, repacked)
    }
    if configuration.bool("is_marlin_format") == true { return ("Marlin", repacked) }
    guard let transform = configuration.quantization?["transform_config"] else { return nil }
    let groups = transform["config_groups"]?.object?.members ?? transform.object?.members ?? []
    guard !groups.isEmpty else { return nil }
    return (
      "compressed-tensors with a transform_config",
      "its weights are stored rotated, and are not those of the model without the rotation at run time"
    )
  }

  private static func byNames(_ stored: StoredTensors) -> Finding? {
    let suffixes = [
      (".trellis", "EXL3"), (".q_invperm", "EXL2"), (".scale_packed", "compressed-tensors marlin-24"),
      (".res_centroids.weight", "VPTQ"), (".svdquant_lora_a", "SVDQuant"),
    ]
    for (suffix, name) in suffixes where stored.all.contains(where: { $0.name.hasSuffix(suffix) }) {
      return (name, pack)
    }
    return nil
  }
}
