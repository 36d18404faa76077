import ByteIO
import Codecs

/// How the bytes of a stored tensor and those of a plane of its encoding follow from one another. It is named by a
/// text like a codec's, kept in `.bale` files so that originals can be restored (specs/layouts.md).
public struct Arrangement: Sendable, Hashable {
  /// The plane of the logical tensor.
  public var plane: Int
  public var form: Form

  public enum Form: Sendable, Hashable {
    /// The same bytes.
    case same
    /// Fields of a few bits, packed or placed in another order.
    case packed(PackedFields)
    /// AWQ's GEMV_FAST: 4-bit codes interleaved in tiles of 4 rows by 64 columns.
    case tiled(TiledNibbles)
  }

  public init(plane: Int, form: Form = .same) {
    self.plane = plane
    self.form = form
  }

  public var descriptor: CodecDescriptor {
    let plane = CodecDescriptor.Parameter(key: "plane", value: "\(plane)")
    switch form {
    case .same: return CodecDescriptor("same", parameters: [plane])
    case .packed(let fields): return CodecDescriptor("packed", parameters: [plane] + fields.parameters)
    case .tiled(let nibbles): return CodecDescriptor("tiled", parameters: [plane] + nibbles.parameters)
    }
  }

  /// Reads the text form. Throws `CodecError.descriptor`.
  public init(parsing text: String) throws(CodecError) {
    let descriptor = try CodecDescriptor(parsing: text)
    var reader = DescriptorReader(descriptor)
    plane = try reader.integer("plane", default: 0, in: 0...255)
    switch descriptor.name {
    case "same": form = .same
    case "packed": form = .packed(try PackedFields(&reader))
    case "tiled": form = .tiled(try TiledNibbles(&reader))
    default: throw .descriptor(text, reason: "no arrangement has the name '\(descriptor.name)'")
    }
    try reader.finish()
  }

  /// Bytes of the stored tensor, and of the plane; nil where they are the same.
  public var sizes: (stored: Int, plane: Int)? {
    switch form {
    case .same: nil
    case .packed(let fields): (fields.storedBytes, fields.planeBytes)
    case .tiled(let nibbles): (nibbles.bytes, nibbles.bytes)
    }
  }

  /// True if every bit of the stored tensor is one of the plane's, so that it surely comes back.
  public var isBijective: Bool {
    switch form {
    case .same, .tiled: true
    case .packed(let fields): fields.isBijective
    }
  }

  /// Stored bytes that are best restored at once: many where each takes a walk through the whole plane.
  public var pieceBytes: Int {
    guard case .packed(let fields) = form, !fields.isLocal else { return 1 << 20 }
    return 16 << 20
  }

  /// Fills `target` with the plane's bytes from `offset`.
  public func readPlane(
    at offset: Int, into target: UnsafeMutableRawBufferPointer, from stored: some ByteRanges
  ) throws {
    switch form {
    case .same: try stored.read(at: offset, into: target)
    case .packed(let fields): try fields.readPlane(at: offset, into: target, from: stored)
    case .tiled(let nibbles): try nibbles.readPlane(at: offset, into: target, from: stored)
    }
  }

  /// Fills `target` with the stored bytes from `offset`.
  public func restore(
    at offset: Int, into target: UnsafeMutableRawBufferPointer, from plane: some ByteRanges
  ) throws {
    switch form {
    case .same: try plane.read(at: offset, into: target)
    case .packed(let fields): try fields.restore(at: offset, into: target, from: plane)
    case .tiled(let nibbles): try nibbles.restore(at: offset, into: target, from: plane)
    }
  }
}
