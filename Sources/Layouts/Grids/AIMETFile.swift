import ByteIO
import JSON

/// An `.encodings` file: which tensor has which grid.
struct AIMETFile {
  /// Why an encoding gives no grid.
  struct Refusal: Error {
    var reason: String
    /// True if it means something that isn't read; false if it means nothing.
    var isKnown = false
  }

  let version: String
  /// By the names of tensors.
  let entries: [(name: String, encoding: JSONValue)]

  init(_ document: JSONValue) throws {
    version = document["version"]?.string ?? (document["param_encodings"]?.array == nil ? "0.6" : "1.0")
    let listed = document["encodings"]?.array ?? document["param_encodings"]?.array
    entries =
      listed?.compactMap { entry in entry["name"]?.string.map { ($0, entry) } }
      ?? document["param_encodings"]?.object?.members.map { ($0.key, $0.value) } ?? []
  }

  /// The grid that a tensor has; nil for one that stays a float.
  func encoding(_ entry: JSONValue, shape: [Int]) throws(Refusal) -> GridEncoding? {
    if let list = entry.array { return try listed(list, shape) }
    return entry["enc_type"] == nil ? try linear(entry, shape) : try typed(entry, shape)
  }

  // MARK: up to 0.6.1: a list of grids, one a channel

  private func listed(_ list: [JSONValue], _ shape: [Int]) throws(Refusal) -> GridEncoding? {
    guard let first = list.first else { throw Refusal(reason: "it is empty") }
    if first["dtype"]?.string?.lowercased() == "float" { return try unchanged(first["bitwidth"]?.int) }
    guard let bits = first["bitwidth"]?.int, list.allSatisfy({ $0["bitwidth"]?.int == bits }) else {
      throw Refusal(reason: "its bitwidths are not one number")
    }
    let scales = list.compactMap { $0["scale"]?.double }
    let offsets = list.compactMap { $0["offset"]?.double }
    guard scales.count == list.count, offsets.count == list.count else {
      throw Refusal(reason: "a scale or an offset is missing")
    }
    return GridEncoding(
      bits: bits, zeros: offsets.map { 0 - $0 }, scales: scales,
      axis: list.count == 1 ? nil : shape.first == list.count ? 0 : 1)
  }

  // MARK: 1.0

  private func typed(_ entry: JSONValue, _ shape: [Int]) throws(Refusal) -> GridEncoding? {
    if entry["dtype"]?.string?.uppercased() == "FLOAT" { return try unchanged(entry["bw"]?.int) }
    let kind = entry["enc_type"]?.string ?? ""
    guard let width = (kind == "LPBQ" ? entry["compressed_bw"] : entry["bw"])?.int else {
      throw Refusal(reason: "it has no bw")
    }
    let scales = try numbers(entry["scale"], "scale")
    let offsets = try numbers(entry["offset"], "offset")
    var grid = GridEncoding(bits: width, zeros: [], scales: scales)
    switch kind {
    case "PER_TENSOR": break
    case "PER_CHANNEL": grid.axis = shape.first == scales.count ? 0 : 1
    case "PER_BLOCK", "LPBQ":
      guard let block = entry["block_size"]?.int, block > 0, shape.count >= 2 else {
        throw Refusal(reason: "it has no block_size")
      }
      if kind == "LPBQ" {
        grid.scales = try expanded(scales, try numbers(entry["per_block_int_scale"], "block scales"))
      }
      (grid.axis, grid.block) = (1, block)
      grid.scaleShape = [shape[0], shape[1].dividedRoundingUp(by: block)] + shape.dropFirst(2)
    default: throw Refusal(reason: "enc_type '\(kind)'", isKnown: true)
    }
    guard offsets.count == 1 || grid.scales.count % max(offsets.count, 1) == 0, !offsets.isEmpty else {
      throw Refusal(reason: "it has \(offsets.count) offsets")
    }
    let run = grid.scales.count / offsets.count
    guard run > 0 else { throw Refusal(reason: "it has \(offsets.count) offsets") }
    // An offset of LPBQ speaks of the wider codes: those that are kept are symmetric.
    grid.zeros =
      kind == "LPBQ"
      ? grid.scales.map { _ in Double(1 << max(min(width, 32) - 1, 0)) }
      : grid.scales.indices.map { 0 - offsets[$0 / run] }
    return grid
  }

  /// The scale of a channel times the integers of its blocks, in F32.
  private func expanded(_ channels: [Double], _ blocks: [Double]) throws(Refusal) -> [Double] {
    guard !channels.isEmpty, blocks.count % channels.count == 0, !blocks.isEmpty else {
      throw Refusal(reason: "it has \(channels.count) scales and \(blocks.count) of blocks")
    }
    let each = blocks.count / channels.count
    return blocks.indices.map { Double(Float(blocks[$0]) * Float(channels[$0 / each])) }
  }

  // MARK: 2.x: the operands of ONNX's QuantizeLinear

  private func linear(_ entry: JSONValue, _ shape: [Int]) throws(Refusal) -> GridEncoding? {
    let type = entry["output_dtype"]?.string ?? ""
    let isSigned = type.hasPrefix("int")
    guard isSigned || type.hasPrefix("uint"), let bits = Int(type.dropFirst(isSigned ? 3 : 4)) else {
      if ["float16", "bfloat16", "float32"].contains(type) { return nil }
      throw Refusal(reason: "output_dtype '\(type)'", isKnown: true)
    }
    guard (1...32).contains(bits) else { throw Refusal(reason: "output_dtype '\(type)'") }
    let (scales, scaleShape) = try scales(entry)
    let half = isSigned ? Double(1 << (bits - 1)) : 0
    let points = try entry["y_zero_point"].map { value throws(Refusal) in try numbers(value, "y_zero_point") } ?? [0]
    guard points.count == 1 || points.count == scales.count else {
      throw Refusal(reason: "it has \(points.count) zero points for \(scales.count) scales")
    }
    return GridEncoding(
      bits: bits, zeros: scales.indices.map { points[points.count == 1 ? 0 : $0] + half }, scales: scales,
      axis: scaleShape.isEmpty ? nil : entry["axis"]?.int ?? 1, block: entry["block_size"]?.int ?? 0,
      scaleShape: scaleShape)
  }

  /// The scales and their shape. Of LPBQ, integers of blocks times a float a channel.
  private func scales(_ entry: JSONValue) throws(Refusal) -> ([Double], [Int]) {
    let blocks = entry["per_block_int_scale"] ?? entry["y_scale"]?["x"]
    let channels = entry["per_channel_float_scale"] ?? entry["y_scale"]?["x_scale"]
    guard let blocks, let channels else {
      guard let scale = entry["y_scale"], scale.object == nil else { throw Refusal(reason: "it has no y_scale") }
      return (try numbers(scale, "y_scale"), Self.shape(scale))
    }
    if let points = entry["y_scale"]?["x_zero_point"], try numbers(points, "x_zero_point").contains(where: { $0 != 0 })
    {
      throw Refusal(reason: "scales with zero points", isKnown: true)
    }
    if let type = entry["y_scale"]?["input_dtype"]?.string, !type.contains("int") {
      throw Refusal(reason: "scales of \(type)", isKnown: true)
    }
    return (try expanded(try numbers(channels, "scales"), try numbers(blocks, "scales of blocks")), Self.shape(blocks))
  }

  /// The shape of a nested list: that of its first members.
  private static func shape(_ value: JSONValue) -> [Int] {
    var (value, shape) = (value, [Int]())
    while let array = value.array, shape.count < 8 {
      shape.append(array.count)
      guard let first = array.first else { break }
      value = first
    }
    return shape
  }

  // MARK: both

  /// A number, or those of a list of lists, row by row.
  private func numbers(_ value: JSONValue?, _ what: String) throws(Refusal) -> [Double] {
    var level = value.map { [$0] } ?? []
    while level.contains(where: { $0.array != nil }) {
      level = level.flatMap { $0.array ?? [] }
    }
    let found = level.compactMap(\.double)
    guard found.count == level.count, !found.isEmpty else { throw Refusal(reason: "its \(what) is no list of numbers") }
    return found
  }

  /// Floats of 16 or 32 bits are what the weights are already.
  private func unchanged(_ bits: Int?) throws(Refusal) -> GridEncoding? {
    guard bits == 16 || bits == 32 else { throw Refusal(reason: "floats of \(bits ?? 0) bits", isKnown: true) }
    return nil
  }
}
