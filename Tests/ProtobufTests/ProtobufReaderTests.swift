import Protobuf
import Testing

@Suite struct ProtobufReaderTests {
  private func fields(_ bytes: [UInt8]) throws(MemoryMessage.Failure) -> [ProtobufField] {
    var (reader, fields) = (ProtobufReader(MemoryMessage(bytes: bytes)), [ProtobufField]())
    while let field = try reader.next() { fields.append(field) }
    return fields
  }

  private func failure(_ bytes: [UInt8]) -> MemoryMessage.Failure? {
    do throws(MemoryMessage.Failure) {
      _ = try fields(bytes)
      return nil
    } catch {
      return error
    }
  }

  /// The messages Test1 (a = 150) and Test2 (b = "testing") of protobuf.dev, "Encoding".
  @Test func theExamplesOfTheDocumentation() throws {
    #expect(try fields([0x08, 0x96, 0x01]) == [ProtobufField(number: 1, value: .varint(150))])
    let text: [UInt8] = [0x12, 0x07, 0x74, 0x65, 0x73, 0x74, 0x69, 0x6E, 0x67]
    #expect(try fields(text) == [ProtobufField(number: 2, value: .bytes(2..<9))])
  }

  @Test func everyWireType() throws {
    let bytes: [UInt8] = [
      0x09, 1, 2, 3, 4, 5, 6, 7, 0x88, 0x15, 1, 2, 3, 0x84, 0x1A, 0, 0xF8, 0xFF, 0xFF, 0xFF, 0x0F, 0,
    ]
    #expect(
      try fields(bytes) == [
        ProtobufField(number: 1, value: .fixed64(0x8807_0605_0403_0201)),
        ProtobufField(number: 2, value: .fixed32(0x8403_0201)), ProtobufField(number: 3, value: .bytes(16..<16)),
        ProtobufField(number: 1 << 29 - 1, value: .varint(0)),
      ])
    #expect(try fields([]).isEmpty)
  }

  @Test func theLargestNumber() throws {
    let bytes = [0x08] + [UInt8](repeating: 0xFF, count: 9) + [0x01]
    #expect(try fields(bytes) == [ProtobufField(number: 1, value: .varint(.max))])
  }

  /// What follows a message within another isn't read as part of it.
  @Test func aMessageEndsWhereItsRangeDoes() throws {
    let bytes: [UInt8] = [0x0A, 3, 0x10, 0x05, 0x18, 0x01]
    var outer = ProtobufReader(MemoryMessage(bytes: bytes))
    let field = try #require(try outer.next())
    guard case .bytes(let range) = field.value else {
      Issue.record("\(field) is no message")
      return
    }
    var inner = outer.message(range)
    #expect(try inner.next() == ProtobufField(number: 2, value: .varint(5)))
    #expect(throws: MemoryMessage.Failure(reason: .truncated, position: 5)) { try inner.next() }
    #expect(outer.position == 5 && !outer.isAtEnd)
  }

  @Test func packedNumbers() throws {
    var reader = ProtobufReader(MemoryMessage(bytes: [0x00, 0x7F, 0xAC, 0x02]))
    var numbers: [UInt64] = []
    while !reader.isAtEnd { numbers.append(try reader.varint()) }
    #expect(numbers == [0, 127, 300])
  }

  @Test func whatIsWrong() {
    #expect(failure([0x08]) == .init(reason: .truncated, position: 1))
    #expect(failure([0x08, 0x80]) == .init(reason: .truncated, position: 2))
    #expect(failure([0x09, 1, 2, 3]) == .init(reason: .truncated, position: 4))
    #expect(failure([0x0D, 1, 2]) == .init(reason: .truncated, position: 3))
    #expect(failure([0x0A, 2, 0]) == .init(reason: .truncated, position: 2))
    let length = [UInt8](repeating: 0xFF, count: 9) + [0x01]
    #expect(failure([0x0A] + length) == .init(reason: .truncated, position: 11))
    #expect(failure([0x08] + [UInt8](repeating: 0xFF, count: 11)) == .init(reason: .longNumber, position: 11))
    #expect(failure([0x00]) == .init(reason: .fieldNumber(tag: 0), position: 1))
    for type in [3, 4, 6, 7] as [UInt8] {
      #expect(failure([0x08 | type]) == .init(reason: .wireType(tag: UInt64(0x08 | type)), position: 1))
    }
  }

  /// The source says how large a field number may be.
  @Test func theLargestField() throws {
    let bytes: [UInt8] = [0x80, 0x80, 0x80, 0x80, 0x10, 0]
    #expect(failure(bytes) == .init(reason: .fieldNumber(tag: 1 << 32), position: 5))
    var reader = ProtobufReader(MemoryMessage(bytes: bytes, largestField: .max))
    #expect(try reader.next() == ProtobufField(number: 1 << 29, value: .varint(0)))
  }
}
