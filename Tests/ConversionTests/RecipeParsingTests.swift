import ByteIO
import Codecs
import Conversion
import TestSupport
import Testing

/// specs/recipe.md: the grammar, and each row of its error table.
@Suite struct RecipeParsingTests {
  private func parse(_ text: String) throws -> Recipe {
    try Recipe(parsing: Array(text.utf8), file: "dir/mine.recipe")
  }

  @Test func parsesTheExampleOfTheSpecification() throws {
    let recipe = try parse(
      """
      # experts small, attention a little smaller, the rest untouched
      model.layers.0.*  keep
      experts           mxfp4
      attention         int8:group=row
      """)
    #expect(recipe.name == "mine.recipe")
    #expect(recipe.rules.map(\.selector) == [.pattern("model.layers.0.*"), .role("experts"), .role("attention")])
    let row = try CodecRegistry.codec("int8:group=row").descriptor
    #expect(
      recipe.rules.map(\.treatment) == [.keep, .quantize(CodecDescriptor("mxfp4"), nil), .quantize(row, nil)])
  }

  @Test func commentsBlankLinesTabsAndCarriageReturnsDontCount() throws {
    let recipe = try parse("\n  # only a comment\r\n\texperts \t drop # why\r\n\n*\tlossless")
    #expect(
      recipe.rules == [Recipe.Rule(.role("experts"), .drop), Recipe.Rule(.pattern("*"), .lossless)])
  }

  @Test func anEmptyRecipeKeepsEverything() throws {
    let recipe = try parse("")
    #expect(recipe.rules.isEmpty)
    #expect(recipe.treatment(name: "a", role: .linear) == .keep)
  }

  @Test(arguments: [
    "keep", "lossless", "drop", "mxfp4@floor", "mxfp4@even", "mxfp4@ceil", "int4:group=128@absmax", "nf4",
    "ggml:type=Q8_0", "plain:dtype=BF16",
  ])
  func textFormComesBack(_ treatment: String) throws {
    let recipe = try parse("a.*.b \(treatment)\nexperts \(treatment)\n")
    #expect(try Recipe(parsing: Array(recipe.text.utf8), file: recipe.name) == recipe)
  }

  @Test func theFirstRuleThatFitsDecides() throws {
    let recipe = try parse("*.special keep\nlinear int8\n*.special drop\n* lossless")
    let int8 = try Treatment(parsing: "int8")
    #expect(recipe.treatment(name: "x.special", role: .linear) == .keep)
    #expect(recipe.treatment(name: "x.weight", role: .linear) == int8)
    #expect(recipe.treatment(name: "x.weight", role: .norm) == .lossless)
  }

  @Test func notUTF8() {
    #expect(throws: RecipeError(.notUTF8, file: "r")) { try Recipe(parsing: [0x2A, 0x20, 0xFF], file: "r") }
  }

  @Test func tooLarge() throws {
    let limit = Recipe.sizeLimit
    let atLimit = [UInt8](repeating: 0x23, count: limit)
    #expect(try Recipe(parsing: atLimit, file: "r").rules.isEmpty)
    #expect(throws: RecipeError(.tooLarge(bytes: limit + 1, limit: limit), file: "r")) {
      try Recipe(parsing: atLimit + [0x23], file: "r")
    }
    let directory = try TemporaryDirectory()
    let path = try directory.write(atLimit + [0x23, 0x23], to: "big")
    #expect(throws: RecipeError(.tooLarge(bytes: limit + 1, limit: limit), file: path)) { try Recipe(named: path) }
  }

  @Test(arguments: ["experts", "experts mxfp4 nf4", "a b c # d"])
  func notARule(_ line: String) {
    #expect(throws: RecipeError(.notARule(line: 2, found: line), file: "r")) {
      try Recipe(parsing: Array("* keep\n\(line)".utf8), file: "r")
    }
  }

  @Test(arguments: ["nothing", "int4:grp=3", "int4:group=x", "mxfp4@best", "mxfp4@", "@floor", "Keep"])
  func badTreatment(_ treatment: String) {
    #expect {
      try Recipe(parsing: Array("\n* \(treatment)".utf8), file: "r")
    } throws: { error in
      guard case .badTreatment(2, _)? = (error as? RecipeError)?.reason else { return false }
      return true
    }
  }

  @Test func encodingsThatNoFloatsBecomeAreBadTreatments() {
    #expect(throws: RecipeError.self) { try Recipe(parsing: Array("* ggml:type=IQ9".utf8), file: "r") }
    #expect(throws: RecipeError.self) { try Recipe(parsing: Array("* split:dtype=BF16".utf8), file: "r") }
  }

  @Test func unknownName() throws {
    let name = try TemporaryDirectory().file("nowhere")
    let error = RecipeError(.unknownName(name, known: Recipe.builtInNames), file: name)
    #expect(throws: error) { try Recipe(named: name) }
  }

  @Test(arguments: Recipe.builtInNames)
  func builtInsAreWhatTheirNamesSay(_ name: String) throws {
    let recipe = try Recipe(named: name)
    #expect(recipe.name == name)
    if name == "lossless" {
      #expect(recipe.rules == [Recipe.Rule(.pattern("*"), .lossless)])
      return
    }
    if name.hasPrefix("moe-") {
      #expect(recipe.isCalibrated && recipe.rules.map { "\($0.selector)" } == ["experts", "attention", "linear"])
      return
    }
    let encodings = [
      "spqr": "spqr:bits=4@gptq", "spqr3": "spqr:bits=3@gptq", "spqr2": "spqr:bits=2@gptq",
      "spqr3-library": "spqr:bits=3,arithmetic=F16,combine=addCompensated,order=permuted@gptq",
    ]
    let rounded = ["rtn-spqr": "spqr:bits=4", "rtn-spqr3": "spqr:bits=3", "rtn-spqr2": "spqr:bits=2"]
    var text = name
    for suffix in ["-experts", "-linear"] where text.hasSuffix(suffix) { text.removeLast(suffix.count) }
    text = encodings[name] ?? rounded[name] ?? (name.hasPrefix("rtn-") ? String(name.dropFirst(4)) : text)
    let treatment = try Treatment(parsing: text)
    let selectors = name.hasSuffix("-experts") ? ["experts"] : ["experts", "attention", "linear"]
    #expect(recipe.rules == selectors.map { Recipe.Rule(Selector($0), treatment) })
  }
}
