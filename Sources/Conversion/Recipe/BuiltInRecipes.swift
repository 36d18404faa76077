extension Recipe {
  /// The recipes that have a name: `lossless`, and ENCODING-experts and ENCODING-linear, which quantize the routed
  /// experts alone, or all weight matrices but routers, embeddings and the head.
  public static let builtInNames =
    ["lossless"] + shortEncodings.flatMap { ["\($0)-experts", "\($0)-linear"] }

  private static let shortEncodings = ["mxfp4", "nvfp4", "fp8", "int8", "int4", "int3", "int2", "nf4"]

  /// The recipe of that name, or nil. Throws `CodecError` if an encoding it names doesn't exist.
  static func builtIn(_ name: String) throws -> Recipe? {
    if name == "lossless" { return Recipe(name: name, rules: [Rule(Selector("*"), .lossless)]) }
    for encoding in shortEncodings {
      let treatment = try Treatment(parsing: encoding)
      switch name {
      case "\(encoding)-experts":
        return Recipe(name: name, rules: [Rule(Selector("experts"), treatment)])
      case "\(encoding)-linear":
        return Recipe(name: name, rules: ["experts", "attention", "linear"].map { Rule(Selector($0), treatment) })
      default: continue
      }
    }
    return nil
  }
}
