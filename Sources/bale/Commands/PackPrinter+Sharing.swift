import Conversion

extension PackPrinter {
  /// What sharing came to, in a few lines.
  static func text(_ sharing: SharingSummary) -> String {
    guard sharing.shared > 0 else {
      return "experts share nothing worth storing once: no gain, stored without centroids"
    }
    var lines = [
      "experts beside centroids: \(sharing.shared) matrices of layers, \(sharing.centroids) centroids"
        + (sharing.declined > 0 ? "; no gain in \(sharing.declined) others" : ""),
      "their weights: \(Format.decimals(sharing.bits, 3)) bits each, everything counted, of which centroids "
        + Format.decimals(sharing.centroidBits, 3),
    ]
    if let forecast = sharing.forecast {
      lines.append(
        "net saving at equal error: \(Format.decimals(forecast.saving, 2)) bits a weight, beside "
          + "\(Format.decimals(forecast.plainBits, 2)) for the same encoding without centroids (from a sample)")
    }
    if !sharing.reorderedLayers.isEmpty {
      lines.append(
        "neurons reordered in layers \(sharing.reorderedLayers.map(String.init).joined(separator: ", ")): the same "
          + "function, in another order than the source's")
    }
    lines.append("padding of the experts' records: \(Format.decimals(sharing.paddingShare * 100, 2)) %")
    return lines.joined(separator: "\n")
  }
}
