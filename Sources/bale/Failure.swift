import ArgumentParser
import ByteIO

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How the command ends when it can't end well.
enum Failure {
  /// A file is bad, or what was compared differs.
  static let bad: Int32 = 1
  /// The work could not be done: a missing file, a full disk, a wrong option.
  static let couldNotRun: Int32 = 2

  /// Prints one line and exits with the status that fits the error. Errors of the command line itself, and requests
  /// for help, end as ArgumentParser ends them, with status 2 in place of its 64.
  static func exit(_ error: any Error, usage command: any ParsableCommand.Type) -> Never {
    if let code = error as? ExitCode { Glibc.exit(code.rawValue) }
    if error is any BadFileError {
      Terminal.error("bale: \(error)")
      Glibc.exit(bad)
    }
    if isOwn(error) {
      Terminal.error("bale: \(error)")
      Glibc.exit(couldNotRun)
    }
    let message = command.fullMessage(for: error)
    if command.exitCode(for: error) == .success {
      print(message)
      Glibc.exit(0)
    }
    Terminal.write(message + "\n")
    Glibc.exit(couldNotRun)
  }

  /// An error that describes itself in a line, as all of Bale's do; ArgumentParser's own don't.
  private static func isOwn(_ error: any Error) -> Bool {
    error is any CustomStringConvertible && !(error is ValidationError) && !(error is CleanExit)
      && !String(reflecting: type(of: error)).hasPrefix("ArgumentParser.")
  }
}
