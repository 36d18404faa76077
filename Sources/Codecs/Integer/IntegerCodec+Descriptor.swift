extension IntegerCodec {
  public var descriptor: CodecDescriptor {
    var descriptor = CodecDescriptor("int\(bits)", ["group": groupName, "scale": scaleName, "zero": zeroName])
    if case .quantized(let superblock) = scale {
      descriptor.parameters.append(.init(key: "second", value: "\(superblock)"))
    }
    return descriptor
  }

  private var groupName: String {
    switch grouping {
    case .elements(let group): "\(group)"
    case .row: "row"
    case .column: "column"
    }
  }

  private var scaleName: String { if case .float(let type) = scale { type.rawValue } else { Self.byteScale } }

  private var zeroName: String {
    switch zero {
    case .none: "none"
    case .code: "code"
    case .bias(let type): type.rawValue
    }
  }

  private static let byteScale = "U8"

  /// Reads the parameters; `bits` is given by a name like `int4`, or read for `int`.
  init(_ reader: inout DescriptorReader, bits: Int?) throws(CodecError) {
    let width: Int
    if let bits { width = bits } else { width = try reader.integer("bits", default: 4, in: 2...8) }
    let grouping = try Self.grouping(&reader)
    let scale = try Self.scale(&reader)
    let zero = try Self.zero(&reader)
    try self.init(bits: width, grouping: grouping, scale: scale, zero: zero)
  }

  private static func grouping(_ reader: inout DescriptorReader) throws(CodecError) -> Grouping {
    switch reader.text("group") {
    case nil: return .elements(64)
    case "row": return .row
    case "column": return .column
    case let text?:
      guard let group = Int(text) else { throw unknown("group", text, "a number, row or column") }
      return .elements(group)
    }
  }

  private static func scale(_ reader: inout DescriptorReader) throws(CodecError) -> Scale {
    let type = reader.text("scale")
    guard let second = reader.text("second"), second != "none" else {
      let name = type ?? ScalarFloat.f16.rawValue
      guard let float = ScalarFloat(rawValue: name.uppercased()) else {
        throw unknown("scale", name, "F16, BF16 or F32, or U8 with second=GROUPS")
      }
      return .float(float)
    }
    guard type == nil || type?.uppercased() == byteScale, let superblock = Int(second) else {
      throw unknown("second", second, "a number of groups, with scale=U8")
    }
    return .quantized(superblock: superblock)
  }

  private static func zero(_ reader: inout DescriptorReader) throws(CodecError) -> Zero {
    let name = reader.text("zero") ?? "none"
    if name == "none" { return .none }
    if name == "code" { return .code }
    guard let float = ScalarFloat(rawValue: name.uppercased()) else {
      throw unknown("zero", name, "none, code, F16, BF16 or F32")
    }
    return .bias(float)
  }

  private static func unknown(_ key: String, _ value: String, _ expected: String) -> CodecError {
    .descriptor("\(key)=\(value)", reason: "\(key) should be \(expected)")
  }
}
