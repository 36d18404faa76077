/// Messages as they are encoded, for tests.
struct ProtobufBytes {
  var bytes: [UInt8] = []

  static func varint(_ value: UInt64) -> [UInt8] {
    var (value, bytes) = (value, [UInt8]())
    repeat {
      bytes.append(UInt8(value & 0x7F) | (value > 0x7F ? 0x80 : 0))
      value >>= 7
    } while value > 0
    return bytes
  }

  func number(_ field: Int, _ value: Int) -> ProtobufBytes {
    ProtobufBytes(bytes: bytes + Self.varint(UInt64(field) << 3) + Self.varint(UInt64(bitPattern: Int64(value))))
  }

  func field(_ field: Int, _ content: [UInt8]) -> ProtobufBytes {
    ProtobufBytes(
      bytes: bytes + Self.varint(UInt64(field) << 3 | 2) + Self.varint(UInt64(content.count)) + content)
  }

  func text(_ number: Int, _ text: String) -> ProtobufBytes { field(number, Array(text.utf8)) }

  func message(_ number: Int, _ message: ProtobufBytes) -> ProtobufBytes { field(number, message.bytes) }

  /// A tensor of bytes.
  static func tensor(_ name: String, type: Int = 2, _ dimensions: [Int], raw: [UInt8]? = nil) -> ProtobufBytes {
    var message = ProtobufBytes()
    for dimension in dimensions { message = message.number(1, dimension) }
    message = message.number(2, type).text(8, name)
    return raw.map { message.field(9, $0) } ?? message
  }

  /// A tensor whose bytes lie in another file.
  static func external(_ name: String, _ dimensions: [Int], _ entries: [(String, String)]) -> ProtobufBytes {
    var message = tensor(name, dimensions).number(14, 1)
    for (key, value) in entries { message = message.message(13, ProtobufBytes().text(1, key).text(2, value)) }
    return message
  }

  /// A model of initializers and nodes.
  static func model(_ tensors: [ProtobufBytes], nodes: [ProtobufBytes] = []) -> ProtobufBytes {
    var graph = ProtobufBytes()
    for node in nodes { graph = graph.message(1, node) }
    for tensor in tensors { graph = graph.message(5, tensor) }
    return ProtobufBytes().number(1, 10).text(2, "test").message(7, graph)
  }
}
