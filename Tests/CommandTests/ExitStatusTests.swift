import ByteIO
import JSON
import Safetensors
import Tensors
import TestSupport
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What the command answers, as a process.
@Suite struct ExitStatusTests {
  private let directory: TemporaryDirectory
  private let bale: String

  init() throws {
    directory = try TemporaryDirectory()
    bale = directory.file("a.bale")
  }

  private func pack(_ more: [String] = ["--recipe", "int4-experts"]) throws {
    let result = try Command.run(["pack", Command.tiny, bale, "--quiet"] + more)
    #expect(result.status == 0 && result.errors.isEmpty)
  }

  /// The command fails with this status and one line, that holds the words.
  private func expectFailure(
    _ arguments: [String], status: Int32, _ words: String..., location: SourceLocation = #_sourceLocation
  ) throws {
    let result = try Command.run(arguments)
    #expect(result.status == status, "\(result.errors)", sourceLocation: location)
    #expect(
      result.errorLines.count == 1 && result.errors.hasPrefix("bale: "), "\(result.errors)", sourceLocation: location)
    for word in words { #expect(result.errors.contains(word), "\(result.errors)", sourceLocation: location) }
    #expect(result.output.isEmpty, sourceLocation: location)
  }

  private static let commands = [
    "inspect", "convert", "pack", "unpack", "verify", "diff", "manifest", "sign", "protect", "repair",
  ]

  @Test(arguments: commands) func helpIsPrintedAndSucceeds(_ command: String) throws {
    for arguments in [[command, "--help"], ["help", command]] {
      let result = try Command.run(arguments)
      #expect(result.status == 0 && result.errors.isEmpty)
      #expect(result.output.contains("USAGE: bale \(command)") && result.output.contains("--threads"))
    }
  }

  @Test func helpListsEveryCommandAndTheVersionIsALine() throws {
    let help = try Command.run(["--help"])
    for command in Self.commands { #expect(help.output.contains("  \(command) ")) }
    let version = try Command.run(["--version"])
    #expect(version.status == 0 && version.output.split(separator: "\n").count == 1)
  }

  @Test(arguments: [
    ["pack"], ["nothing"], ["inspect", "x", "--colour"], ["pack", "a", "b.gguf"], ["verify", "a", "--threads", "0"],
    ["verify", "a", "--memory", "1M"], ["convert", "a", "b.gguf", "--to", "bale"],
    ["pack", "a", "b.bale", "--lossless", "--recipe", "nf4-linear"], ["convert", "a", "b", "--dequantize", "i8"],
  ])
  func wrongUsageIsTwo(_ arguments: [String]) throws {
    let result = try Command.run(arguments)
    #expect(result.status == 2 && !result.errors.isEmpty && result.output.isEmpty)
  }

  @Test(arguments: [["inspect"], ["verify"], ["unpack"], ["pack"], ["convert"], ["diff"]])
  func missingFilesAreTwo(_ command: [String]) throws {
    let second = ["unpack": ["out"], "pack": ["b.bale"], "convert": ["b.gguf"], "diff": ["other"]][command[0]] ?? []
    let arguments = command + [directory.file("nowhere")] + second.map { directory.file($0) }
    try expectFailure(arguments, status: 2, "nowhere", "No such file")
    #expect(try Command.tree(directory.path).isEmpty)
  }

  @Test(.enabled(if: geteuid() != 0, "the superuser may write anywhere"))
  func aDirectoryWithoutPermissionIsTwo() throws {
    chmod(directory.path, 0o500)
    defer { chmod(directory.path, 0o700) }
    try expectFailure(["pack", Command.tiny, bale], status: 2, "Permission denied")
  }

  @Test func aTruncatedSourceIsOne() throws {
    let bytes = try Fixtures.bytes(Command.tiny + "/model.safetensors")
    let path = try directory.write(Array(bytes.dropLast(1000)), to: "short.safetensors")
    let before = try Command.tree(directory.path)
    for arguments in [["inspect", path], ["verify", path], ["pack", path, bale], ["convert", path, path + ".gguf"]] {
      try expectFailure(arguments, status: 1, "short.safetensors")
    }
    #expect(try Command.tree(directory.path) == before)
  }

  @Test func unknownFormatsAreOne() throws {
    let path = try directory.write(Array("hello, world".utf8), to: "readme.txt")
    try expectFailure(["inspect", path], status: 1, "readme.txt")
  }

  @Test func unknownRecipesAndEncodingsAreRefused() throws {
    try expectFailure(
      ["pack", Command.tiny, bale, "--recipe", "int9-experts"], status: 1, "int9-experts", "mxfp4-experts")
    try expectFailure(["convert", Command.tiny, bale, "--quantize", "int9"], status: 2, "int9")
    #expect(try Command.tree(directory.path).isEmpty)
  }

  @Test func aNaNNamesItsTensor() throws {
    let values: [Float] = Array(repeating: 1, count: 63) + [.nan]
    let spec = SafetensorsTensorSpec("model.layers.0.self_attn.q_proj.weight", .f32, Shape([1, 64]) ?? .scalar)
    let source = directory.file("nan.safetensors")
    try SafetensorsWriter.write([.init(spec, values.withUnsafeBytes { Array($0) })], to: source)
    for type in ["int4", "mxfp4", "nf4"] {
      try expectFailure(["convert", source, bale, "--quantize", type], status: 1, "q_proj.weight", "nan")
      #expect(!Path.exists(bale))
    }
  }

  @Test func nothingIsOverwrittenWithoutForce() throws {
    try directory.write([1, 2, 3], to: "a.bale")
    try directory.write([1, 2, 3], to: "full/x")
    try directory.write([1, 2, 3], to: "a.gguf")
    let before = try Command.tree(directory.path)
    try expectFailure(["pack", Command.tiny, bale], status: 2, "File exists")
    try expectFailure(["convert", Command.tiny, directory.file("a.gguf")], status: 2, "File exists")
    try expectFailure(["convert", Command.tiny, directory.file("full")], status: 2, "not empty")
    #expect(try Command.tree(directory.path) == before)
    try pack(["--force"])
    try expectFailure(["unpack", bale, directory.file("full")], status: 2, "not empty")
    #expect(try Command.run(["unpack", bale, directory.file("full"), "--force", "--quiet"]).status == 0)
    #expect(try Fixtures.bytes(directory.file("full/x")) == [1, 2, 3])
  }

  @Test func dryRunsWriteNothing() throws {
    try pack()
    let before = try Command.tree(directory.path)
    for arguments in [
      ["pack", Command.tiny, directory.file("b.bale")], ["unpack", bale, directory.file("out")],
      ["convert", Command.tiny, directory.file("b.gguf")], ["convert", Command.tiny, directory.file("out")],
      ["convert", Command.tiny, directory.file("b.bale"), "--quantize", "nf4"],
    ] {
      let plain = try Command.run(arguments + ["--dry-run"])
      #expect(plain.status == 0 && !plain.output.isEmpty)
      let json = try Command.run(arguments + ["--dry-run", "--json"])
      #expect(json.status == 0)
      #expect(throws: Never.self) { try JSONValue(parsing: Array(json.output.utf8)) }
    }
    #expect(try Command.tree(directory.path) == before)
  }

  @Test func jsonParsesAndQuietIsSilent() throws {
    try pack()
    let zeros = directory.file("zeros.safetensors")
    let ones = directory.file("ones.safetensors")
    for (path, value) in [(zeros, UInt8(0)), (ones, UInt8(0x3C))] {
      let spec = SafetensorsTensorSpec("a", .f16, Shape([4]) ?? .scalar)
      try SafetensorsWriter.write([.init(spec, Array(repeating: value, count: 8))], to: path)
    }
    let jobs: [([String], Int32)] = [
      (["inspect", Command.tiny], 0), (["inspect", bale], 0), (["verify", bale], 0),
      (["verify", bale, "--against", Command.tiny], 0), (["diff", Command.tiny, bale], 1),
      (["diff", zeros, ones], 1), (["diff", bale, bale, "--all"], 0), (["verify", zeros, "--against", ones], 1),
      (["unpack", bale, directory.file("out"), "--force"], 0),
      (["convert", bale, directory.file("o.gguf"), "--force", "--dequantize", "bf16"], 0),
      (["pack", Command.tiny, directory.file("o.bale"), "--force"], 0),
    ]
    for (arguments, status) in jobs {
      let json = try Command.run(arguments + ["--json"])
      #expect(json.status == status, "\(arguments) \(json.errors)")
      #expect(throws: Never.self, "\(arguments)") { try JSONValue(parsing: Array(json.output.utf8)) }
      let quiet = try Command.run(arguments + ["--quiet"])
      #expect(quiet.status == status && quiet.output.isEmpty, "\(arguments)")
      #expect(quiet.errors.isEmpty || status == 1)
    }
  }

  @Test func differencesAreOneAndEqualityIsZero() throws {
    try pack(["--lossless"])
    #expect(try Command.run(["diff", Command.tiny, bale]).status == 0)
    try pack(["--recipe", "int4-experts", "--force"])
    #expect(try Command.run(["diff", Command.tiny, bale]).status == 1)
    #expect(try Command.run(["verify", bale, "--against", Command.tiny]).status == 0)
  }

  @Test func damageIsOneAndSaysWhere() throws {
    try pack()
    var bytes = try Fixtures.bytes(bale)
    let places = [5, 4096, bytes.count / 2, bytes.count - 4000, bytes.count - 5]
    for place in places {
      bytes[place] ^= 4
      let path = try directory.write(bytes, to: "bad.bale")
      bytes[place] ^= 4
      let result = try Command.run(["verify", path, "--quiet"])
      #expect(result.status == 1 && result.errors.contains("bad.bale"), "byte \(place): \(result.errors)")
      Path.remove(path)
    }
    for page in stride(from: 4096, to: bytes.count - 4096, by: bytes.count / 5 / 4096 * 4096) {
      var zeroed = bytes
      for index in page..<page + 4096 { zeroed[index] = 0 }
      guard zeroed != bytes else { continue }
      #expect(try Command.run(["verify", directory.write(zeroed, to: "zeroed.bale")]).status == 1, "page \(page)")
      Path.remove(directory.file("zeroed.bale"))
    }
    for length in [0, 1, 100, bytes.count / 2, bytes.count - 1] {
      let path = try directory.write(Array(bytes[..<length]), to: "cut.bale")
      try expectFailure(["verify", path], status: 1, "cut.bale")
      Path.remove(path)
    }
  }

  @Test func damagedFilesAreNotUnpacked() throws {
    try pack()
    var bytes = try Fixtures.bytes(bale)
    bytes[bytes.count / 2] ^= 1
    let path = try directory.write(bytes, to: "bad.bale")
    let before = try Command.tree(directory.path)
    try expectFailure(["unpack", path, directory.file("out")], status: 1, "bad.bale")
    #expect(try Command.tree(directory.path) == before)
  }

  @Test(.enabled(if: Path.exists("/dev/full"))) func aFullStandardOutputIsTwo() throws {
    let result = try Command.shell("exec \"$0\" inspect \"$1\" --json > /dev/full", [Command.tiny])
    #expect(result.status == 2 && result.errorLines.count == 1)
  }

  @Test func aFileSizeLimitIsTwoAndLeavesNothing() throws {
    for arguments in [
      ["pack", Command.tiny, bale], ["convert", Command.tiny, directory.file("a.gguf")],
      ["convert", Command.tiny, directory.file("out")],
    ] {
      let result = try Command.shell("trap '' XFSZ; ulimit -f 100; exec \"$0\" \"$@\"", arguments)
      #expect(result.status == 2 && result.errorLines.count == 1, "\(result)")
      #expect(try Command.tree(directory.path).isEmpty)
    }
  }
}
