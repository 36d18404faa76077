import ByteIO
import JSON

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Standard output and standard error.
enum Terminal {
  /// True if standard error is a terminal, where a progress line may be redrawn.
  static let isInteractive = isatty(STDERR_FILENO) == 1

  /// Prints what `--json` asks for to standard output.
  static func print(_ value: JSONValue) {
    Swift.print(String(decoding: value.encoded(.python(indent: 2)), as: UTF8.self))
  }

  /// Writes a line to standard error. Control characters, which a name in a file may hold, are written as escapes.
  static func error(_ line: String) { write(escaped(line) + "\n") }

  private static func escaped(_ line: String) -> String {
    let isPlain = line.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
    if isPlain { return line }
    return line.unicodeScalars.map { $0.properties.generalCategory == .control ? $0.escaped(asASCII: true) : "\($0)" }
      .joined()
  }

  /// Writes text to standard error at once.
  static func write(_ text: String) {
    let bytes = Array(text.utf8)
    _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }

  /// Writes out what was printed to standard output. Throws `IOError` if that can't take it, as a full disk can't.
  static func flush() throws {
    guard fflush(nil) == 0 else { throw IOError("write", path: "standard output", code: errno) }
  }

  /// Columns of the terminal on standard error, 80 where unknown.
  static var width: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }
}
