#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A process that was run to its end.
struct Child {
  let seconds: Double
  /// Seconds of all its processors, those of the kernel on its behalf included.
  let processorSeconds: Double
  /// Peak resident memory, in MiB.
  let peakMiB: Int

  /// A process that could not be run, or failed.
  struct Failure: Error {
    var command: [String]
    var status: Int32
  }

  /// Runs a program found in PATH, without output.
  init(_ command: [String]) throws {
    var arguments = command.map { strdup($0) } + [nil]
    defer { arguments.forEach { free($0) } }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    var process = pid_t()
    let start = now()
    let code = posix_spawnp(&process, command[0], &actions, nil, &arguments, environ)
    guard code == 0 else { throw Failure(command: command, status: code) }
    var status: Int32 = 0
    var usage = rusage()
    guard wait4(process, &status, 0, &usage) == process, status == 0 else {
      throw Failure(command: command, status: status)
    }
    seconds = now() - start
    processorSeconds = Self.seconds(usage.ru_utime) + Self.seconds(usage.ru_stime)
    peakMiB = usage.ru_maxrss >> 10
  }

  private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
}
