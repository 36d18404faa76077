import Codecs
import FuzzSupport
import Tensors

/// A descriptor, a line feed, columns and rows in a byte each, and the bytes of the planes. The fast kernel and the
/// reference must accept and refuse the same bytes, and agree bit for bit.
/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  var input = InputReader(fuzzInput(data, count))
  guard let codec = try? CodecRegistry.codec(input.line()) else { return 0 }
  let columns = 1 + input.byte() << (input.byte() & 3)
  let rows = 1 + input.byte() & 7
  guard let shape = Shape([rows, columns]), (try? codec.check(shape)) != nil else { return 0 }
  let planes = codec.planes.indices.map { plane -> [UInt8] in
    let size = codec.bytes(plane: plane, elements: shape.elements, columns: columns)
    guard codec.planes[plane].extent == .variable else { return input.bytes(size) }
    return input.bytes((input.byte() << 8 | input.byte()) % (size + 1))
  }
  compare(codec, planes, elements: shape.elements, columns: columns)
  return 0
}

private func compare(_ codec: any Codec, _ planes: [[UInt8]], elements: Int, columns: Int) {
  let fast = decoded(planes, elements, columns, Float.zero) { try codec.decode($0, into: $1) }
  let reference = decoded(planes, elements, columns, Float.zero) { try codec.decodeReference($0, into: $1) }
  require(fast?.map(\.bitPattern) == reference?.map(\.bitPattern), "\(codec.descriptor): fast is not the reference")
  let halves = decoded(planes, elements, columns, UInt16.zero) { try codec.decodeBF16($0, into: $1) }
  require((halves == nil) == (fast == nil), "\(codec.descriptor): BF16 refuses what F32 accepts, or accepts it")
  guard let fast, let halves else { return }
  for (value, half) in zip(fast, halves) where !value.isNaN {
    require(half == rounded(value), "\(codec.descriptor): \(value) as BF16")
  }
}

/// To BF16, to nearest, ties to even.
private func rounded(_ value: Float) -> UInt16 {
  let bits = value.bitPattern
  return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
}

/// What `decode` makes of the planes, nil if it refuses them.
private func decoded<T>(
  _ planes: [[UInt8]], _ elements: Int, _ columns: Int, _ zero: T,
  _ decode: (EncodedSpan, UnsafeMutableBufferPointer<T>) throws -> Void
) -> [T]? {
  var output = [T](repeating: zero, count: elements)
  let buffers = planes.map { plane -> UnsafeMutableRawBufferPointer in
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: plane.count, alignment: 1)
    buffer.copyBytes(from: plane)
    return buffer
  }
  defer { buffers.forEach { $0.deallocate() } }
  let span = EncodedSpan(planes: buffers.map { UnsafeRawBufferPointer($0) }, elements: elements, columns: columns)
  do {
    try output.withUnsafeMutableBufferPointer { try decode(span, $0) }
  } catch {
    return nil
  }
  return output
}
