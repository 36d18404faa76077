import ByteIO
import TestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The built `bale`, run as a process of its own.
enum Command {
  static let tiny = Fixtures.samples + "/tiny-mixtral"

  /// It lies beside the bundle of tests that is running.
  static let path: String = {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = readlink("/proc/self/exe", &buffer, Int(PATH_MAX))
    let own = count > 0 ? String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
    let arguments = CommandLine.arguments + [own]
    let candidates = arguments.map { Path.directory(of: $0) + "/bale" } + [Fixtures.root + "/.build/debug/bale"]
    return candidates.first { access($0, X_OK) == 0 && !Path.isDirectory($0) } ?? "bale"
  }()

  /// A file beside the command, for what is made once and used by many tests.
  static func sibling(_ name: String) -> String { Path.join(Path.directory(of: path), name) }

  struct Result {
    /// The exit status, or nil for a process that a signal ended.
    var status: Int32?
    var output: String
    var errors: String
    /// The most memory that the process had resident, in bytes.
    var peakMemory = 0

    var errorLines: [Substring] { errors.split(separator: "\n") }
  }

  /// Runs the command to its end.
  static func run(_ arguments: [String], environment: [String: String] = [:]) throws -> Result {
    try launch([path] + arguments, environment: environment)
  }

  /// Runs the command from a shell's line, in which `$0` is the command.
  static func shell(_ script: String, _ arguments: [String] = []) throws -> Result {
    try launch(["/bin/sh", "-c", script, path] + arguments, environment: [:])
  }

  static func launch(_ words: [String], environment: [String: String]) throws -> Result {
    let directory = try TemporaryDirectory()
    let (output, errors) = (directory.file("output"), directory.file("errors"))
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT, 0o600)
    posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT, 0o600)
    let names: [String] = ["PATH", "HOME", "LD_LIBRARY_PATH"]
    let inherited: [String] = names.compactMap { name in getenv(name).map { "\(name)=\(String(cString: $0))" } }
    var child = pid_t()
    let executable = words[0]
    let code = withCStrings(words) { words in
      withCStrings(inherited + environment.map { "\($0)=\($1)" }) {
        posix_spawn(&child, executable, &actions, nil, words, $0)
      }
    }
    guard code == 0 else { throw IOError("run", path: words[0], code: code) }
    let (status, peakMemory) = wait(for: child)
    return Result(
      status: status & 0x7F == 0 ? status >> 8 & 0xFF : nil,
      output: String(decoding: try Fixtures.bytes(output), as: UTF8.self),
      errors: String(decoding: try Fixtures.bytes(errors), as: UTF8.self), peakMemory: peakMemory)
  }

  /// Waits for the process to end, and watches its memory: what the system reports at the end counts this process's
  /// own, which a child has until it becomes the command.
  private static func wait(for child: pid_t) -> (status: Int32, peakMemory: Int) {
    var (status, peak): (Int32, Int) = (0, 0)
    while true {
      let ended = waitpid(child, &status, WNOHANG)
      if ended == child || (ended < 0 && errno != EINTR) { return (status, peak) }
      peak = max(peak, residentPeak(of: child))
      usleep(2000)
    }
  }

  private static func residentPeak(of process: pid_t) -> Int {
    let files = ["exe", "status"].map { "/proc/\(process)/\($0)" }
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let count = readlink(files[0], &buffer, Int(PATH_MAX))
    let executable = String(decoding: buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard executable == path, let status = fopen(files[1], "r") else { return 0 }
    defer { fclose(status) }
    while fgets(&buffer, Int32(buffer.count), status) != nil {
      let line = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      if line.hasPrefix("VmHWM:") { return (Int(line.filter(\.isNumber)) ?? 0) << 10 }
    }
    return 0
  }

  private static func withCStrings<R>(_ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R) -> R {
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
  }

  /// Everything below a directory: the bytes of files, and directories with a slash behind their name.
  static func tree(_ directory: String, prefix: String = "") throws -> [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    for name in try Path.entries(of: directory) {
      let path = Path.join(directory, name)
      if Path.isDirectory(path) {
        result[prefix + name + "/"] = []
        result.merge(try tree(path, prefix: prefix + name + "/")) { first, _ in first }
      } else {
        result[prefix + name] = try Fixtures.bytes(path)
      }
    }
    return result
  }
}
