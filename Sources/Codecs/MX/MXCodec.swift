import Tensors

/// The MX formats of OCP Microscaling Formats v1.0: 32 elements along a row share a power-of-two scale (E8M0).
/// Descriptors `mxfp4`, `mxfp6e2m3`, `mxfp6e3m2`, `mxfp8e4m3`, `mxfp8e5m2` (specs/codecs/mx.md).
public struct MXCodec: QuantizingCodec, Hashable {
  public let element: MXElement

  /// Elements a block.
  public static let block = 32

  /// The scale byte that stands for NaN, which no tensor may hold.
  static let nanScale: UInt8 = 0xFF

  public init(_ element: MXElement) { self.element = element }

  public var descriptor: CodecDescriptor { CodecDescriptor(element.rawValue) }

  public var planes: [Plane] { [Plane(.codes), Plane(.scales)] }

  var layout: PackedRows { PackedRows(group: Self.block, bits: element.bits) }

  public func alignment(columns: Int) -> Int { layout.alignment(columns: columns) }

  public func check(_ shape: Shape) throws(CodecError) { try checkCountable(shape) }

  public func bytes(plane: Int, elements: Int, columns: Int) -> Int {
    let rows = layout.rows(elements: elements, columns: columns)
    return rows.count * (plane == 0 ? layout.codeBytes(length: rows.length) : layout.groups(length: rows.length))
  }

  /// Throws if a scale is NaN.
  func checkScales(_ scales: UnsafeRawBufferPointer) throws(CodecError) {
    if let offset = scales.firstIndex(of: Self.nanScale) {
      throw .value(codec: "\(descriptor)", plane: .scales, offset: offset, reason: "the scale 0xFF is NaN")
    }
  }
}
