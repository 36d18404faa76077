import ByteIO
import Checkpoints
import Codecs
import Tensors

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
    /// The decoded values, rounded to a dtype: made of all planes.
    case values(DType)
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
    case .values(let dtype):
      return CodecDescriptor(
        "values", parameters: [plane, CodecDescriptor.Parameter(key: "dtype", value: dtype.rawValue)])
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
    case "values":
      let dtype = try reader.choice("dtype", default: DType.f32)
      guard plane == 0, [.f32, .f16, .bf16].contains(dtype) else {
        throw .descriptor(text, reason: "values are F32, F16 or BF16, of plane 0")
      }
      form = .values(dtype)
    default: throw .descriptor(text, reason: "no arrangement has the name '\(descriptor.name)'")
    }
    try reader.finish()
  }

  /// Bytes of the stored tensor, and of the plane; nil where they are the same.
  public var sizes: (stored: Int, plane: Int)? {
    switch form {
    case .same, .values: nil
    case .packed(let fields): (fields.storedBytes, fields.planeBytes)
    case .tiled(let nibbles): (nibbles.bytes, nibbles.bytes)
    }
  }

  /// True if every bit of the stored tensor is one of the plane's, so that it surely comes back.
  public var isBijective: Bool {
    switch form {
    case .same, .tiled: true
    case .packed(let fields): fields.isBijective
    case .values: false
    }
  }

  /// Stored bytes that are best restored at once: many where each takes a walk through the whole plane.
  public var pieceBytes: Int {
    guard case .packed(let fields) = form, !fields.isLocal else { return 1 << 20 }
    return 16 << 20
  }

  /// What stored bytes are restored from: a plane of a tensor, or its values.
  public func source(_ checkpoint: any Checkpoint, tensor: Int) -> any ByteRanges {
    if case .values(let dtype) = form { return ValueBytes(checkpoint, tensor: tensor, dtype: dtype) }
    return PlaneBytes(checkpoint, tensor: tensor, plane: plane)
  }

  /// Fills `target` with the plane's bytes from `offset`. Values aren't read this way: what they are codes of is known
  /// to the layout alone.
  public func readPlane(
    at offset: Int, into target: UnsafeMutableRawBufferPointer, from stored: some ByteRanges
  ) throws {
    switch form {
    case .same, .values: try stored.read(at: offset, into: target)
    case .packed(let fields): try fields.readPlane(at: offset, into: target, from: stored)
    case .tiled(let nibbles): try nibbles.readPlane(at: offset, into: target, from: stored)
    }
  }

  /// Fills `target` with the stored bytes from `offset`.
  /// - Parameter plane: what `source` gives.
  public func restore(
    at offset: Int, into target: UnsafeMutableRawBufferPointer, from plane: some ByteRanges
  ) throws {
    switch form {
    case .same, .values: try plane.read(at: offset, into: target)
    case .packed(let fields): try fields.restore(at: offset, into: target, from: plane)
    case .tiled(let nibbles): try nibbles.restore(at: offset, into: target, from: plane)
    }
  }
}
