import ByteIO
import JSON
import Tensors

extension SafetensorsHeader {
  /// Lays out a file. With at most one entry of metadata the header, and so the file, is the one that the Rust
  /// library 0.8.0 writes; with more, the library's order is random and this one keeps the order given.
  /// - Parameters:
  ///   - metadata: nil leaves `__metadata__` out.
  ///   - file: the name that errors give.
  /// - Throws: `SafetensorsError`: `validationOverflow`, `misalignedSlice`, `duplicateName`, `reservedName` or
  ///   `headerTooLarge`.
  public static func plan(
    tensors: [SafetensorsTensorSpec], metadata: [SafetensorsMetadataEntry]? = nil,
    order: SafetensorsOrder = .canonical, file: String = "new safetensors file"
  ) throws -> SafetensorsPlan {
    try checkNames(of: tensors, file: file)
    try checkLength(of: tensors, metadata: metadata ?? [], file: file)
    let fileOrder = order == .canonical ? canonicalOrder(of: tensors) : Array(tensors.indices)
    let offsets = try dataOffsets(of: tensors, in: fileOrder, file: file)
    let header = try encode(tensors, in: fileOrder, offsets: offsets, metadata: metadata, file: file)
    let ranges = try zip(tensors, offsets).map { tensor, range in
      guard let end = range.upperBound.adding(header.count) else { throw overflow(tensor, file: file) }
      return range.lowerBound + header.count..<end
    }
    return SafetensorsPlan(
      headerBytes: header, ranges: ranges, fileOrder: fileOrder,
      fileSize: fileOrder.last.map { ranges[$0].upperBound } ?? header.count)
  }

  private static func checkNames(of tensors: [SafetensorsTensorSpec], file: String) throws {
    var names = NameTable(capacity: tensors.count)
    for (index, tensor) in tensors.enumerated() {
      if tensor.name == "__metadata__" { throw SafetensorsError(.reservedName, file: file, tensor: tensor.name) }
      if names.insert(tensor.name, at: index) != nil {
        throw SafetensorsError(.duplicateName, file: file, tensor: tensor.name)
      }
    }
  }

  /// Refuses, before it is built, a header whose names and metadata alone are too long.
  private static func checkLength(
    of tensors: [SafetensorsTensorSpec], metadata: [SafetensorsMetadataEntry], file: String
  ) throws {
    let names = tensors.reduce(0) { $0 + $1.name.utf8.count }
    let length = metadata.reduce(names) { $0 + $1.key.utf8.count + $1.value.utf8.count }
    if length > SafetensorsLimits.header {
      throw SafetensorsError(.headerTooLarge(length: UInt64(length)), file: file)
    }
  }

  private static func canonicalOrder(of tensors: [SafetensorsTensorSpec]) -> [Int] {
    let ranks = Dictionary(uniqueKeysWithValues: zip(DType.allCases, 0...))
    let keys = tensors.map { (rank: -(ranks[$0.dtype] ?? 0), name: ExactString($0.name)) }
    return tensors.indices.sorted { keys[$0] < keys[$1] }
  }

  /// Each tensor's bytes, counted from the end of the header, in the order in which the tensors were given.
  private static func dataOffsets(
    of tensors: [SafetensorsTensorSpec], in order: [Int], file: String
  ) throws -> [Range<Int>] {
    var offsets = [Range<Int>](repeating: 0..<0, count: tensors.count)
    var begin = 0
    for index in order {
      let tensor = tensors[index]
      let size = try HeaderLayout.size(
        of: tensor.dtype, dimensions: tensor.shape.dimensions.map(UInt64.init)[...], tensor: tensor.name, file: file)
      guard let end = Int(exactly: size).flatMap({ begin.adding($0) }) else { throw overflow(tensor, file: file) }
      offsets[index] = begin..<end
      begin = end
    }
    return offsets
  }

  private static func overflow(_ tensor: SafetensorsTensorSpec, file: String) -> SafetensorsError {
    let dimensions = tensor.shape.dimensions.map(UInt64.init)
    return SafetensorsError(
      .validationOverflow(dimensions: dimensions, dtype: tensor.dtype), file: file, tensor: tensor.name)
  }

  /// Length, JSON, and spaces up to a multiple of eight.
  private static func encode(
    _ tensors: [SafetensorsTensorSpec], in order: [Int], offsets: [Range<Int>],
    metadata: [SafetensorsMetadataEntry]?, file: String
  ) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: lengthSize)
    bytes.append(UInt8(ascii: "{"))
    if let metadata { append(metadata, to: &bytes) }
    for index in order {
      if bytes.count > lengthSize + 1 { bytes.append(UInt8(ascii: ",")) }
      append(tensors[index], at: offsets[index], to: &bytes)
    }
    bytes.append(UInt8(ascii: "}"))
    while bytes.count % 8 != 0 { bytes.append(UInt8(ascii: " ")) }
    let length = UInt64(bytes.count - lengthSize)
    guard length <= UInt64(SafetensorsLimits.header) else {
      throw SafetensorsError(.headerTooLarge(length: length), file: file)
    }
    for index in 0..<lengthSize { bytes[index] = UInt8(truncatingIfNeeded: length >> UInt64(8 * index)) }
    return bytes
  }

  private static func append(_ metadata: [SafetensorsMetadataEntry], to bytes: inout [UInt8]) {
    bytes.append(contentsOf: "\"__metadata__\":{".utf8)
    for (index, entry) in metadata.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      bytes.appendJSON(entry.key)
      bytes.append(UInt8(ascii: ":"))
      bytes.appendJSON(entry.value)
    }
    bytes.append(UInt8(ascii: "}"))
  }

  private static func append(_ tensor: SafetensorsTensorSpec, at offsets: Range<Int>, to bytes: inout [UInt8]) {
    bytes.appendJSON(tensor.name)
    bytes.append(contentsOf: ":{\"dtype\":\"\(tensor.dtype.rawValue)\",\"shape\":[".utf8)
    bytes.append(contentsOf: tensor.shape.dimensions.map(String.init).joined(separator: ",").utf8)
    bytes.append(contentsOf: "],\"data_offsets\":[\(offsets.lowerBound),\(offsets.upperBound)]}".utf8)
  }
}
