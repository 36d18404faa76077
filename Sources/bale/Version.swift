/// The version of the command, and what it writes as the maker of a file.
enum Version {
  static let text = "0.1.0"
}
