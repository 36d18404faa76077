extension Recipe {
  /// The recipes that have a name: `lossless`; ENCODING-experts, which quantizes the routed experts alone;
  /// ENCODING-linear and rtn-ENCODING, all weight matrices but routers, embeddings and the head, rounded to nearest;
  /// and spqr, spqr3, spqr2 and gptq-ENCODING, the same matrices by a solver with calibration.
  public static let builtInNames: [String] =
    ["lossless"] + shortEncodings.flatMap { ["\($0)-experts", "\($0)-linear"] }
    + roundedEncodings.map { "rtn-\($0.name)" } + spqrWidths.map(\.name) + solvedEncodings.map { "gptq-\($0)" }

  private static let shortEncodings = ["mxfp4", "int8", "int4", "int3", "int2", "nf4"]
  private static let solvedEncodings = ["int8", "int4", "int3", "int2", "nf4", "mxfp4", "ternary"]
  private static let spqrWidths: [(name: String, bits: Int)] = [("spqr", 4), ("spqr3", 3), ("spqr2", 2)]
  private static let roundedEncodings: [(name: String, encoding: String)] = {
    let spqr: [(name: String, encoding: String)] = spqrWidths.map { ($0.name, "spqr:bits=\($0.bits)") }
    return solvedEncodings.map { ($0, $0) } + spqr
  }()

  /// The recipe of that name, or nil. Throws `CodecError` if an encoding it names doesn't exist.
  static func builtIn(_ name: String) throws -> Recipe? {
    if name == "lossless" { return Recipe(name: name, rules: [Rule(Selector("*"), .lossless)]) }
    for encoding in shortEncodings where name == "\(encoding)-experts" {
      return Recipe(name: name, rules: [Rule(Selector("experts"), try Treatment(parsing: encoding))])
    }
    return try matrixTreatment(name).map { treatment in
      Recipe(name: name, rules: ["experts", "attention", "linear"].map { Rule(Selector($0), treatment) })
    }
  }

  /// What a recipe for all weight matrices does with them.
  private static func matrixTreatment(_ name: String) throws -> Treatment? {
    if let encoding = shortEncodings.first(where: { name == "\($0)-linear" }) {
      return try Treatment(parsing: encoding)
    }
    if let rounded = roundedEncodings.first(where: { name == "rtn-\($0.name)" }) {
      return try Treatment(parsing: rounded.encoding)
    }
    if let spqr = spqrWidths.first(where: { name == $0.name }) {
      return try Treatment(parsing: "spqr:bits=\(spqr.bits)@gptq")
    }
    return solvedEncodings.contains { name == "gptq-\($0)" } ? try Treatment(parsing: name) : nil
  }
}
