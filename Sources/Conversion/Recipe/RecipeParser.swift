import ByteIO
import Codecs

/// What is wrong with a recipe.
public enum RecipeReason: FaultReason {
  case notUTF8
  case tooLarge(bytes: Int, limit: Int)
  case notARule(line: Int, found: String)
  case badTreatment(line: Int, CodecError)
  case unknownName(String, known: [String])

  public var description: String {
    switch self {
    case .notUTF8: "a recipe should be UTF-8 text"
    case .tooLarge(let bytes, let limit): "a recipe of \(bytes) bytes; at most \(limit) are read"
    case .notARule(let line, let found): "line \(line) should be 'SELECTOR ENCODING' and is '\(found)'"
    case .badTreatment(let line, let error): "line \(line): \(error)"
    case .unknownName(let name, let known):
      "there is no recipe '\(name)'; give a file, or one of \(known.joined(separator: ", "))"
    }
  }
}

public typealias RecipeError = Fault<RecipeReason>

extension Recipe {
  /// The largest recipe file that is read, in bytes.
  public static let sizeLimit = 1 << 20

  /// Parses the text form: a rule a line, `#` starts a comment, blank lines don't count.
  public init(parsing bytes: [UInt8], file: String) throws(RecipeError) {
    guard bytes.count <= Self.sizeLimit else {
      throw RecipeError(.tooLarge(bytes: bytes.count, limit: Self.sizeLimit), file: file)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw RecipeError(.notUTF8, file: file) }
    var rules: [Rule] = []
    // By scalars: the pair of carriage return and line feed is one Character, and no line feed.
    for (index, line) in text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let content = line.prefix { $0 != "#" }
      let words = content.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" }).map { String($0) }
      if words.isEmpty { continue }
      guard words.count == 2 else {
        throw RecipeError(.notARule(line: index + 1, found: String(line)), file: file)
      }
      do {
        rules.append(Rule(Selector(words[0]), try Treatment(parsing: words[1])))
      } catch {
        throw RecipeError(.badTreatment(line: index + 1, error), file: file)
      }
    }
    self.init(name: Path.name(of: file), rules: rules)
  }

  /// A built-in recipe by its name, else the recipe in the file of that name.
  /// Throws `RecipeError` or `IOError`.
  public init(named name: String) throws {
    if let builtIn = try Self.builtIn(name) {
      self = builtIn
    } else if Path.exists(name) {
      let file = try InputFile(name)
      try self.init(parsing: file.bytes(0..<min(file.size, Self.sizeLimit + 1)), file: name)
    } else {
      throw RecipeError(.unknownName(name, known: Self.builtInNames), file: name)
    }
  }
}
