import Protobuf
import Testing

@Suite struct ProtobufWriterTests {
  @Test func bytesOfEachKind() {
    var writer = ProtobufWriter()
    writer.varint(1, 150)
    writer.bytes(2, "testing".utf8)
    writer.float(3, -1.5)
    #expect(
      writer.bytes == [
        0x08, 0x96, 0x01, 0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6E, 0x67, 0x1D, 0x00, 0x00, 0xC0, 0xBF,
      ])
  }

  @Test(arguments: [0, 1, 127, 128, 16383, 16384, 1 << 63, .max] as [UInt64])
  func whatIsWrittenIsRead(_ number: UInt64) throws {
    var writer = ProtobufWriter()
    writer.varint(1 << 29 - 1, number)
    writer.bytes(16, [UInt8](repeating: 1, count: 200))
    var reader = ProtobufReader(MemoryMessage(bytes: writer.bytes))
    #expect(try reader.next() == ProtobufField(number: 1 << 29 - 1, value: .varint(number)))
    let end = writer.bytes.count
    #expect(try reader.next() == ProtobufField(number: 16, value: .bytes(end - 200..<end)))
    #expect(try reader.next() == nil)
  }
}
