import ArgumentParser
import ByteIO
import Conversion
import JSON
import Manifests
import Signing

/// `bale sign`: a signature over a model's files.
struct Sign: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Signs a model with a key of one's own.",
    discussion: """
      Writes a signature in the layout of OpenSSF model signing 1.0: a Sigstore bundle with the SHA-256 of every file. \
      'model_signing verify key' of PyPI's model-signing checks it, and 'bale verify --signature' checks its. The key \
      is an elliptic one (P-256, P-384, P-521) in PEM; no network is used.

      EXAMPLES
        openssl ecparam -name prime256v1 -genkey -noout -out key.pem
        openssl ec -in key.pem -pubout -out public.pem
        bale sign models/mixtral --key key.pem -o mixtral.sig
        bale verify models/mixtral --signature mixtral.sig --key public.pem
      """)

  @Argument(help: "A directory or a file of any kind.")
  var path: String

  @Option(name: .long, help: ArgumentHelp("The private key, in PEM.", valueName: "KEY.pem"))
  var key: String

  @Option(name: .shortAndLong, help: ArgumentHelp("The signature to write.", valueName: "FILE"))
  var output = "model.sig"

  @Option(
    name: .long, help: ArgumentHelp("A file or directory in PATH to leave out; may be repeated.", valueName: "NAME"))
  var ignore: [String] = []

  @Flag(name: .long, help: "Follow symbolic links to files, which are refused otherwise.")
  var allowSymlinks = false

  @Flag(name: .long, help: "Overwrite what exists.")
  var force = false

  @OptionGroup var options: GlobalOptions

  func run() throws {
    let progress = ProgressLine("signing", options: options)
    defer { progress.finish() }
    let statement = try ModelSignature.sign(
      path, key: key, to: output, overwrite: force, ignored: ignore, followsLinks: allowSymlinks,
      threads: options.threads
    ) { progress.update(Progress(bytesDone: $0, bytesTotal: $1)) }
    progress.finish()
    if options.json {
      let result: JSONValue = [
        "signature": .string(output), "name": .string(statement.name), "root": .string(hexadecimal(statement.root)),
        "files": .array(
          statement.resources.map { ["name": .string($0.name), "sha256": .string(hexadecimal($0.sha256))] }),
      ]
      return Terminal.print(result)
    }
    guard !options.quiet else { return }
    print("\(output): \(statement.resources.count) files signed, root \(hexadecimal(statement.root))")
  }
}
