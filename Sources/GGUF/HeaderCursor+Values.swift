import ByteIO

/// Key-value pairs.
extension HeaderCursor {
  /// `count` key-value pairs, and the alignment that they give.
  mutating func metadata(_ count: Int) throws -> (GGUFMetadata, alignment: Int) {
    var metadata = GGUFMetadata()
    var alignment = GGUFHeader.defaultAlignment
    for _ in 0..<count {
      let start = position
      let key = try nextKey()
      guard !metadata.contains(key) else { throw fail(.duplicateKey(key), at: start) }
      self.key = key
      let type = try valueType(key)
      metadata.append(key, try value(type, key))
      self.key = nil
      if key == GGUFKey.alignment {
        do { alignment = try metadata.alignment() } catch { throw fail(error.reason, at: start) }
      }
    }
    return (metadata, alignment)
  }

  private mutating func nextKey() throws -> String {
    let start = position
    let length: UInt64 = try integer("the length of a key")
    guard length > 0 else { throw fail(.emptyKey, at: start) }
    guard length <= GGUFLimits.keyBytes else { throw fail(.keyTooLong(bytes: length), at: start) }
    let bytes = try bytes(Int(length), "a key")
    guard let key = String(validating: bytes, as: UTF8.self) else { throw fail(.keyNotUTF8, at: start) }
    return key
  }

  private mutating func valueType(_ key: String) throws -> GGUFValueType {
    let start = position
    let id: UInt32 = try integer("the type")
    guard let type = GGUFValueType(rawValue: id) else { throw fail(.valueType(key: key, id), at: start) }
    return type
  }

  private mutating func value(_ type: GGUFValueType, _ key: String) throws -> GGUFValue {
    switch type {
    case .uint8: .uint8(try integer("the value"))
    case .int8: .int8(try integer("the value"))
    case .uint16: .uint16(try integer("the value"))
    case .int16: .int16(try integer("the value"))
    case .uint32: .uint32(try integer("the value"))
    case .int32: .int32(try integer("the value"))
    case .float32: .float32(Float(bitPattern: try integer("the value")))
    case .bool: .bool(try integer("the value", as: UInt8.self) != 0)
    case .string: .string(GGUFString(bytes: try bytes(try stringLength(), "the string")))
    case .array: .array(try array(key))
    case .uint64: .uint64(try integer("the value"))
    case .int64: .int64(try integer("the value"))
    case .float64: .float64(Double(bitPattern: try integer("the value")))
    }
  }

  /// The length of a string, checked against what is left of the file.
  private mutating func stringLength() throws -> Int {
    let start = position
    let length: UInt64 = try integer("the length of a string")
    guard length <= left else {
      throw fail(.beyondFile(field: name("the length of a string"), count: length, left: left), at: start)
    }
    return Int(length)
  }

  /// An array. Arrays in arrays are kept on a stack of open ones, not by recursion.
  private mutating func array(_ key: String) throws -> GGUFArray {
    var open: [(missing: Int, arrays: [GGUFArray])] = []
    var nested = 0
    while true {
      let start = position
      let type = try valueType(key)
      let count = try arrayCount(type, key)
      var done: GGUFArray?
      if type == .array {
        guard open.count + 1 < GGUFLimits.arrayDepth else { throw fail(.arrayTooDeep(key: key), at: start) }
        nested += count
        guard nested <= GGUFLimits.nestedArrays else { throw fail(.tooManyArrays(key: key), at: start) }
        open.append((count, []))
      } else {
        done = try elements(type, count)
      }
      if let finished = Self.close(&open, done) { return finished }
    }
  }

  /// Puts a finished array into the innermost open one, closes those that are complete, and returns the outermost
  /// when that is.
  private static func close(_ open: inout [(missing: Int, arrays: [GGUFArray])], _ done: GGUFArray?) -> GGUFArray? {
    var done = done
    while true {
      guard let last = open.indices.last else { return done }
      if let array = done {
        open[last].arrays.append(array)
        open[last].missing -= 1
      }
      guard open[last].missing == 0 else { return nil }
      done = .array(open.removeLast().arrays)
    }
  }

  /// The number of elements of an array, checked against what is left of the file.
  private mutating func arrayCount(_ type: GGUFValueType, _ key: String) throws -> Int {
    let start = position
    let count: UInt64 = try integer("the length of the array")
    guard count <= GGUFLimits.arrayElements else { throw fail(.arrayTooLong(key: key, count: count), at: start) }
    guard Int(count) <= left / type.leastBytes else {
      throw fail(.beyondFile(field: name("the length of the array"), count: count, left: left), at: start)
    }
    return Int(count)
  }

  /// The elements of an array of anything but arrays.
  private mutating func elements(_ type: GGUFValueType, _ count: Int) throws -> GGUFArray {
    switch type {
    case .uint8: .uint8(try numbers(count, "the array"))
    case .int8: .int8(try numbers(count, "the array"))
    case .uint16: .uint16(try numbers(count, "the array"))
    case .int16: .int16(try numbers(count, "the array"))
    case .uint32: .uint32(try numbers(count, "the array"))
    case .int32: .int32(try numbers(count, "the array"))
    case .float32: .float32(try numbers(count, "the array"))
    case .bool: .bool(try bytes(count, "the array").map { $0 != 0 })
    case .string: .string(try strings(count))
    case .array: .array([])
    case .uint64: .uint64(try numbers(count, "the array"))
    case .int64: .int64(try numbers(count, "the array"))
    case .float64: .float64(try numbers(count, "the array"))
    }
  }

  private mutating func strings(_ count: Int) throws -> GGUFStrings {
    var strings = GGUFStrings()
    // The length fields must be there; the bytes of the strings are not known yet.
    try require(count * GGUFValueType.string.leastBytes, "the array")
    strings.reserve(strings: count, bytes: min(count * 8, left))
    for _ in 0..<count { try append(try stringLength(), to: &strings) }
    return strings
  }
}
