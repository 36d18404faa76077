import ByteIO
import Checkpoints
import Codecs
import Conversion
import Tensors

/// Compares plain values that F32 doesn't hold exactly: wide integers, F64, complex numbers.
struct ExactValues: Sendable {
  private let dtype: DType

  /// Nil where both sides' values are exact in F32, and comparing them as F32 tells all.
  init?(_ a: any Codec, _ b: any Codec) {
    guard let first = Self.plainDType(a), let second = Self.plainDType(b) else { return nil }
    let fits = { (dtype: DType) in
      Elements.isExact(from: first, to: dtype) && Elements.isExact(from: second, to: dtype)
    }
    guard !fits(.f32) else { return nil }
    guard first == second || (first != .c64 && second != .c64) else { return nil }
    dtype = first == second ? first : [first, second].first(where: fits) ?? .f64
  }

  private static func plainDType(_ codec: any Codec) -> DType? {
    (codec as? PlainCodec)?.dtype ?? (codec as? any LosslessCodec)?.dtype
  }

  /// How many elements differ in a bit.
  func differing(_ a: EncodedBytes, _ first: any Codec, _ b: EncodedBytes, _ second: any Codec) throws -> Int {
    let (x, y) = (try plain(a, first), try plain(b, second))
    let size = dtype.bits / 8
    return stride(from: 0, to: x.count, by: size).count { x[$0..<$0 + size] != y[$0..<$0 + size] }
  }

  /// True if the values have a form in F32, rounded.
  var hasFloats: Bool { dtype != .c64 }

  private func plain(_ bytes: EncodedBytes, _ codec: any Codec) throws -> [UInt8] {
    let target = PlainCodec(dtype)
    let output = EncodedBytes(target, elements: bytes.elements, columns: bytes.columns)
    let transcoder = try Transcoder(from: codec, to: target, measured: false)
    _ = try bytes.withSpan { span in try output.withTargets { try transcoder.run(span, into: $0) } }
    return output.bytes(0)
  }
}
