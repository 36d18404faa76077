extension JSONScanner {
  /// Passes over the next value, checking every byte of it.
  public mutating func skipValue() throws(JSONError) {
    let floor = depth
    // A bit for each array or object entered here, the innermost lowest: 1 for an object.
    var objects: UInt128 = 0
    repeat {
      switch try peek() {
      case .object:
        try enterObject()
        objects = objects << 1 | 1
      case .array:
        try enterArray()
        objects <<= 1
      case .string: _ = try string()
      case .number: _ = try number()
      case .bool: _ = try bool()
      case .null: try null()
      }
      while depth > floor {
        let hasMore = objects & 1 == 1 ? try nextKey() != nil : try nextElement()
        if hasMore { break }
        objects >>= 1
      }
    } while depth > floor
  }
}
