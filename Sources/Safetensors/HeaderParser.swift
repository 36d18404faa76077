import JSON
import Tensors

/// A tensor as the header gives it, before it is checked.
struct HeaderEntry {
  var name: String
  var dtype: DType
  /// Where its dimensions stand in the parser's list of all.
  var dimensions: Range<Int>
  /// Counted from the end of the header, as `end`.
  var begin: UInt64
  var end: UInt64
}

/// A problem of a header that no JSON reader would see.
struct HeaderFault: Error {
  var problem: HeaderProblem
  /// Counted from the first byte of the JSON.
  var offset: Int
}

/// Reads the JSON of a header as the Rust library 0.8.0 reads it with serde: a tensor may be an array of its three
/// fields, a dtype an object of one member whose value is null, and unknown fields are passed over.
struct HeaderParser {
  private var scanner: JSONScanner
  private(set) var entries: [HeaderEntry] = []
  /// The dimensions of all tensors, one after the other: one list costs less than one for each tensor.
  private(set) var dimensions: [UInt64] = []
  private(set) var metadata: [SafetensorsMetadataEntry]?
  private var metadataIsSeen = false
  /// The tensor in which the header is bad.
  private(set) var tensor: String?

  /// Throws `JSONError` if the header is not UTF-8.
  init(_ json: UnsafeRawBufferPointer) throws {
    scanner = try JSONScanner(json, refusingHugeNumbers: true)
  }

  /// Reads the whole header into `entries` and `metadata`. Throws `JSONError` or `HeaderFault`.
  mutating func parse() throws {
    try scanner.enterObject()
    while let key = try scanner.nextKey() {
      if key.matches("__metadata__") {
        try parseMetadata()
      } else {
        let name = key.string
        do { entries.append(try parseTensor(name)) } catch {
          tensor = name
          throw error
        }
      }
    }
    try scanner.finish()
  }

  private mutating func parseMetadata() throws {
    if metadataIsSeen { throw fault(.duplicateField("__metadata__")) }
    metadataIsSeen = true
    if try scanner.peek() == .null { return try scanner.null() }
    var read: [SafetensorsMetadataEntry] = []
    var positions = NameTable()
    try scanner.enterObject()
    while let key = try scanner.nextKey()?.string {
      let value = try scanner.string().string
      if let known = positions.insert(key, at: read.count) {
        read[known].value = value
      } else {
        read.append(SafetensorsMetadataEntry(key, value))
      }
    }
    metadata = read
  }

  private struct Fields {
    var dtype: DType?
    var dimensions: Range<Int>?
    var offsets: (begin: UInt64, end: UInt64)?
  }

  private mutating func parseTensor(_ name: String) throws -> HeaderEntry {
    let fields = try scanner.peek() == .array ? parseArray() : parseObject()
    guard let dtype = fields.dtype else { throw fault(.missingField("dtype")) }
    guard let dimensions = fields.dimensions else { throw fault(.missingField("shape")) }
    guard let offsets = fields.offsets else { throw fault(.missingField("data_offsets")) }
    return HeaderEntry(name: name, dtype: dtype, dimensions: dimensions, begin: offsets.begin, end: offsets.end)
  }

  private mutating func parseObject() throws -> Fields {
    var fields = Fields()
    try scanner.enterObject()
    while let key = try scanner.nextKey() {
      if key.matches("dtype") {
        if fields.dtype != nil { throw fault(.duplicateField("dtype")) }
        fields.dtype = try parseDType()
      } else if key.matches("shape") {
        if fields.dimensions != nil { throw fault(.duplicateField("shape")) }
        fields.dimensions = try parseShape()
      } else if key.matches("data_offsets") {
        if fields.offsets != nil { throw fault(.duplicateField("data_offsets")) }
        fields.offsets = try parseOffsets()
      } else {
        try scanner.skipValue()
      }
    }
    return fields
  }

  private mutating func parseArray() throws -> Fields {
    var fields = Fields()
    let count = HeaderProblem.wrongCount(of: "a tensor given as an array", expected: 3)
    try scanner.enterArray()
    guard try scanner.nextElement() else { throw fault(count) }
    fields.dtype = try parseDType()
    guard try scanner.nextElement() else { throw fault(count) }
    fields.dimensions = try parseShape()
    guard try scanner.nextElement() else { throw fault(count) }
    fields.offsets = try parseOffsets()
    if try scanner.nextElement() { throw fault(count) }
    return fields
  }

  private mutating func parseDType() throws -> DType {
    let name: String
    let kind = try scanner.peek()
    let start = scanner.offset
    switch kind {
    case .string: name = try scanner.string().string
    case .object: name = try parseDTypeObject()
    default: throw fault(.invalidDType)
    }
    guard let dtype = DType(rawValue: name) else { throw HeaderFault(problem: .unknownDType(name), offset: start) }
    return dtype
  }

  private mutating func parseDTypeObject() throws -> String {
    try scanner.enterObject()
    guard let name = try scanner.nextKey()?.string, try scanner.peek() == .null else { throw fault(.invalidDType) }
    try scanner.null()
    guard try scanner.nextKey() == nil else { throw fault(.invalidDType) }
    return name
  }

  private mutating func parseShape() throws -> Range<Int> {
    let start = dimensions.count
    try scanner.enterArray()
    while try scanner.nextElement() { dimensions.append(try parseInteger()) }
    return start..<dimensions.count
  }

  private mutating func parseOffsets() throws -> (begin: UInt64, end: UInt64) {
    let count = HeaderProblem.wrongCount(of: "data_offsets", expected: 2)
    try scanner.enterArray()
    guard try scanner.nextElement() else { throw fault(count) }
    let begin = try parseInteger()
    guard try scanner.nextElement() else { throw fault(count) }
    let end = try parseInteger()
    if try scanner.nextElement() { throw fault(count) }
    return (begin, end)
  }

  private mutating func parseInteger() throws -> UInt64 {
    let number = try scanner.number()
    guard let value = number.unsigned else {
      throw HeaderFault(problem: .invalidInteger(number.text), offset: scanner.offset - number.length)
    }
    return value
  }

  private func fault(_ problem: HeaderProblem) -> HeaderFault { HeaderFault(problem: problem, offset: scanner.offset) }
}
