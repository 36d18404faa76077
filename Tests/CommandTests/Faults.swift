import ByteIO
import TestSupport

/// A system call of the command that is made to go wrong, by Tests/FaultInjection/faults.c.
struct Fault {
  var call: String
  /// An errno, `short`, `kill`, `power`, `power-half`, `cut` or `touch`.
  var kind: String
  var at = 1
  /// What lies below this path is concerned.
  var below: String
  /// The file that `cut` and `touch` change.
  var file = ""

  /// The shim, compiled once a run; nil where there is no C compiler.
  static let shim: String? = {
    let path = Command.sibling("bale-test-faults.so")
    let source = Fixtures.root + "/Tests/FaultInjection/faults.c"
    let words = ["/usr/bin/env", "cc", "-shared", "-fPIC", "-O1", "-o", path, source, "-ldl"]
    return (try? Command.launch(words, environment: [:]))?.status == 0 ? path : nil
  }()

  static let isPossible = shim != nil

  /// Runs the command with the fault.
  /// - Returns: what came of it, and whether the call was made so often that the fault struck.
  func run(_ arguments: [String]) throws -> (result: Command.Result, struck: Bool) {
    let directory = try TemporaryDirectory()
    let marker = directory.file("struck")
    let result = try Command.run(
      arguments,
      environment: [
        "LD_PRELOAD": Self.shim ?? "", "FAULT_CALL": call, "FAULT_KIND": kind, "FAULT_AT": "\(at)",
        "FAULT_BELOW": below, "FAULT_FILE": file, "FAULT_MARKER": marker,
        // A process that lacks memory can't print where it was.
        "SWIFT_BACKTRACE": "enable=no",
      ])
    return (result, Path.exists(marker))
  }
}
