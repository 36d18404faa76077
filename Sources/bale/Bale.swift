import ArgumentParser

@main
struct Bale: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bale", abstract: "Convert, pack and verify model checkpoints.")
}
