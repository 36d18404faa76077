extension IntegersCodec {
  public var descriptor: CodecDescriptor {
    var descriptor = CodecDescriptor(
      "integers", ["bits": "\(bits)", "groups": groupName, "scale": scale.rawValue, "zero": zeroName])
    if code != .integer { descriptor.parameters.append(.init(key: "codes", value: code.rawValue)) }
    if isStepped { descriptor.parameters.append(.init(key: "steps", value: "scale")) }
    if let factors { descriptor.parameters.append(.init(key: "columns", value: factors.rawValue)) }
    if over != 1 { descriptor.parameters.append(.init(key: "over", value: "\(over)")) }
    return descriptor
  }

  private var groupName: String {
    switch grouping {
    case .elements(let count): "\(count)"
    case .rows(let count): "rows\(count)"
    case .row: "row"
    case .indexed(let count): "index\(count)"
    case .flat(let count): "flat\(count)"
    case .strided(let count): "stride\(count)"
    case .tensor: "tensor"
    }
  }

  private var zeroName: String {
    switch zero {
    case .none: "none"
    case .code: "code"
    case .point(let type): "point-\(type.rawValue)"
    case .bias(let type): "bias-\(type.rawValue)"
    }
  }

  init(_ reader: inout DescriptorReader) throws(CodecError) {
    let bits = try reader.integer("bits", default: 4, in: 1...32)
    let groups = reader.text("groups") ?? "row"
    let scale = try reader.choice("scale", default: ScalarFloat.f16)
    let zero = reader.text("zero") ?? "none"
    let over = try reader.integer("over", default: 1, in: 1...1 << 16)
    guard let grouping = Self.grouping(groups), let kind = Self.zero(zero) else {
      throw .descriptor("integers:groups=\(groups),zero=\(zero)", reason: "there are no such groups or zero points")
    }
    let steps = reader.text("steps")
    guard steps == nil || steps == "scale" else {
      throw .descriptor("steps=\(steps ?? "")", reason: "steps should be scale")
    }
    let codes = reader.text("codes")
    guard codes == nil || codes == Code.e2m1.rawValue else {
      throw .descriptor("codes=\(codes ?? "")", reason: "codes should be E2M1")
    }
    let columns = reader.text("columns")
    let factors = columns.flatMap { ScalarFloat(rawValue: $0) }
    guard columns == nil || factors != nil else {
      throw .descriptor("columns=\(columns ?? "")", reason: "columns should be F16, BF16 or F32")
    }
    try self.init(
      bits: bits, grouping: grouping, scale: scale, zero: kind, over: over, isStepped: steps != nil, factors: factors,
      code: codes == nil ? .integer : .e2m1)
  }

  private static func grouping(_ text: String) -> Grouping? {
    func number(after prefix: String) -> Int? {
      text.hasPrefix(prefix) ? Int(text.dropFirst(prefix.count)) : nil
    }
    if text == "row" { return .row }
    if text == "tensor" { return .tensor }
    if let count = Int(text) { return .elements(count) }
    return number(after: "rows").map(Grouping.rows) ?? number(after: "index").map(Grouping.indexed) ?? number(
      after: "flat"
    ).map(Grouping.flat)
      ?? number(after: "stride").map(Grouping.strided)
  }

  private static func zero(_ text: String) -> Zero? {
    if text == "none" { return Zero.none }
    if text == "code" { return .code }
    let parts = text.split(separator: "-").map(String.init)
    guard parts.count == 2, let type = ScalarFloat(rawValue: parts[1]) else { return nil }
    return parts[0] == "point" ? .point(type) : parts[0] == "bias" ? .bias(type) : nil
  }
}
