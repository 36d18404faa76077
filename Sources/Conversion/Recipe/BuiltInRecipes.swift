extension Recipe {
  /// The recipes that have a name: `lossless`; ENCODING-experts, which quantizes the routed experts alone;
  /// ENCODING-linear and rtn-ENCODING, all weight matrices but routers, embeddings and the head, rounded to nearest;
  /// spqr, spqr3, spqr2 and gptq-ENCODING, the same matrices by a solver with calibration; spqr3-library, which SpQR's
  /// inference library can hold; and moe-spqr, moe-spqr3 and moe-spqr2, which give attention, whose weights all tokens
  /// use, more bits and the experts coarser tiles.
  public static let builtInNames: [String] = {
    var names = ["lossless"]
    for encoding in shortEncodings { names += ["\(encoding)-experts", "\(encoding)-linear"] }
    for encoding in roundedEncodings { names.append("rtn-" + encoding.name) }
    for spqr in solvedSpQR { names.append(spqr.name) }
    for encoding in solvedEncodings { names.append("gptq-" + encoding) }
    return names + mixedRecipes.map(\.name)
  }()

  private typealias Named = (name: String, encoding: String)

  private static let shortEncodings: [String] = ["mxfp4", "nvfp4", "fp8", "int8", "int4", "int3", "int2", "nf4"]
  private static let solvedEncodings: [String] = ["int8", "int4", "int3", "int2", "nf4", "mxfp4", "ternary"]
  private static let spqrWidths: [Named] = [
    ("spqr", "spqr:bits=4"), ("spqr3", "spqr:bits=3"), ("spqr2", "spqr:bits=2"),
  ]
  private static let roundedEncodings: [Named] = solvedEncodings.map { ($0, $0) } + spqrWidths
  private static let solvedSpQR: [Named] =
    spqrWidths + [("spqr3-library", "spqr:bits=3,arithmetic=F16,combine=addCompensated,order=permuted")]

  private static let mixedRecipes: [(name: String, experts: String, others: String)] = [
    ("moe-spqr", "spqr:bits=4,rows=128,columns=16", "int6"), ("moe-spqr3", "spqr:bits=3,rows=128,columns=16", "int5"),
    ("moe-spqr2", "spqr:bits=2,rows=128,columns=16", "int4"),
  ]

  /// The recipe of that name, or nil. Throws `CodecError` if an encoding it names doesn't exist.
  static func builtIn(_ name: String) throws -> Recipe? {
    if name == "lossless" { return Recipe(name: name, rules: [Rule(Selector("*"), .lossless)]) }
    for encoding in shortEncodings where name == "\(encoding)-experts" {
      return Recipe(name: name, rules: [Rule(Selector("experts"), try Treatment(parsing: encoding))])
    }
    if let mixed = mixedRecipes.first(where: { name == $0.name }) {
      let others = try Treatment(parsing: mixed.others + "@gptq")
      let experts = Rule(Selector("experts"), try Treatment(parsing: mixed.experts + "@gptq"))
      return Recipe(name: name, rules: [experts] + ["attention", "linear"].map { Rule(Selector($0), others) })
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
    if let spqr = solvedSpQR.first(where: { name == $0.name }) {
      return try Treatment(parsing: spqr.encoding + "@gptq")
    }
    return solvedEncodings.contains { name == "gptq-\($0)" } ? try Treatment(parsing: name) : nil
  }
}
