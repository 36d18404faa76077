/// How tensors are dealt to files.
public enum ShardPlan {
  /// Bytes of tensors a file, unless the caller says otherwise: 5 GB, the customary size.
  public static let defaultMaximumSize = 5_000_000_000

  /// Cuts a list of tensors into files, greedily in order: a file ends before the tensor that would take it beyond
  /// `maximum`. A tensor larger than that has a file to itself. Without tensors there is one file, empty.
  /// - Parameters:
  ///   - sizes: bytes of each tensor.
  ///   - maximum: bytes of tensors a file.
  /// - Returns: the indices of each file's tensors.
  public static func split(sizes: [Int], maximum: Int = defaultMaximumSize) -> [Range<Int>] {
    var shards: [Range<Int>] = []
    var start = 0
    var size = 0
    for (index, next) in sizes.enumerated() {
      let (sum, overflow) = size.addingReportingOverflow(next)
      if index > start && (overflow || sum > maximum) {
        shards.append(start..<index)
        (start, size) = (index, next)
      } else {
        size = sum
      }
    }
    return shards + [start..<sizes.count]
  }

  /// The name of a file: `model.safetensors` if it is the only one, else `model-00001-of-00003.safetensors`.
  /// - Parameter index: counted from 0.
  public static func name(index: Int, count: Int, prefix: String = "model") -> String {
    count == 1 ? prefix + safetensorsSuffix : "\(prefix)-\(padded(index + 1))-of-\(padded(count))\(safetensorsSuffix)"
  }

  private static func padded(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
  }

  /// The parts of a name of the form `PREFIX-00001-of-00003.safetensors`, or nil; the index counts from 0.
  static func parts(of name: String) -> (prefix: String, index: Int, count: Int)? {
    guard name.hasSuffix(safetensorsSuffix) else { return nil }
    let fields = name.dropLast(safetensorsSuffix.count).split(separator: "-", omittingEmptySubsequences: false)
    guard fields.count >= 4, fields[fields.count - 2] == "of", let count = number(fields[fields.count - 1]),
      let index = number(fields[fields.count - 3]), index > 0, index <= count
    else { return nil }
    return (fields.dropLast(3).joined(separator: "-"), index - 1, count)
  }

  private static func number(_ field: Substring) -> Int? {
    guard field.utf8.count >= 5, field.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }) else {
      return nil
    }
    return Int(field)
  }
}
