import BaleFormat
import Codecs
import FuzzSupport

/// A whole file, as it is and with its digests made right: everything in it is read.
/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = fuzzInput(data, count)
  for file in [bytes, BaleSeal.sealed(bytes)] {
    var probe = try? Probe(file)
    try? probe?.run()
  }
  return 0
}

/// Reads all that a file says it has, up to a bound: a small file may rightly decode to much.
private struct Probe {
  private static let bound = 4 << 20
  let file: BaleFile
  private var read = 0

  init(_ bytes: [UInt8]) throws { file = try BaleFile(sources: [MemorySource(bytes)]) }

  mutating func run() throws {
    _ = try file.verify(threads: 1)
    _ = file.storedOrder
    for record in file.records where read < Self.bound { try visit(file.record(record)) }
    for tensor in file.tensors where read < Self.bound { visit(tensor) }
    for original in file.originals {
      for segment in original.segments where read < Self.bound { visit(segment) }
    }
  }

  private mutating func visit(_ record: BaleRecord) throws {
    read += record.parts.reduce(0) { $0 + $1.part.planes.reduce(0) { $0 + $1.decodedLength } }
    if read < Self.bound { _ = try? file.readRecord(record) }
  }

  private mutating func visit(_ tensor: BaleTensor) {
    require(file.tensor(named: tensor.name)?.name == tensor.name, "a tensor that its name doesn't find")
    let codec = try? CodecRegistry.codec(tensor.encoding)
    let fits = codec.map { (try? file.check(tensor, against: $0)) != nil } ?? false
    for part in tensor.parts {
      for span in 0..<part.spanCount where read < Self.bound {
        guard let planes = try? file.readSpan(span, of: part) else { continue }
        read += planes.reduce(1) { $0 + $1.count }
        if fits, let codec { decode(planes, codec, part, span) }
      }
    }
  }

  private func decode(_ planes: [[UInt8]], _ codec: any Codec, _ part: BalePart, _ span: Int) {
    let elements = part.elements(inSpan: span)
    guard elements <= Self.bound else { return }
    let buffers = planes.map { plane -> UnsafeMutableRawBufferPointer in
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: plane.count, alignment: 64)
      buffer.copyBytes(from: plane)
      return buffer
    }
    defer { buffers.forEach { $0.deallocate() } }
    let encoded = EncodedSpan(
      planes: buffers.map { UnsafeRawBufferPointer($0) }, elements: elements, columns: part.columns)
    var values = [Float](repeating: 0, count: elements)
    values.withUnsafeMutableBufferPointer { try? codec.decode(encoded, into: $0) }
  }

  private mutating func visit(_ segment: BaleSegment) {
    guard case .blob(let blob) = segment.source else { return }
    read += segment.count
    guard read < Self.bound else { return }
    try? file.readBlob(blob, segment.offset..<segment.offset + segment.count) { _ in }
  }
}
