import ByteIO

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Standard output and standard error.
enum Terminal {
  /// True if standard error is a terminal, where a progress line may be redrawn.
  static let isInteractive = isatty(STDERR_FILENO) == 1

  /// Writes a line to standard error.
  static func error(_ line: String) { write(line + "\n") }

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
