import ByteIO
import ONNX
import TestSupport
import Testing

/// The parts of a model, and what is wrong with one.
@Suite struct ONNXModelTests {
  private let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func write(_ bytes: [UInt8], to name: String) throws -> String {
    let path = directory.file(name)
    let output = try OutputFile(path, size: bytes.count, overwrite: true)
    try bytes.withUnsafeBytes { try output.write($0, at: 0) }
    try output.commit(length: bytes.count)
    return path
  }

  private func model(_ message: ProtobufBytes) throws -> ONNXModel {
    try ONNXModel(write(message.bytes, to: "model.onnx"))
  }

  private func reason(_ message: ProtobufBytes) -> ONNXReason? {
    do {
      _ = try model(message)
      return nil
    } catch let error as ONNXError { return error.reason } catch {
      Issue.record(error)
      return nil
    }
  }

  @Test func initializersAndNodes() throws {
    let attribute = ProtobufBytes().text(1, "axis").number(3, -1).number(20, 2)
    let node = ProtobufBytes().text(1, "x").text(1, "").text(1, "z").text(2, "y").text(4, "Op").message(5, attribute)
      .text(7, "ai.onnx")
    let model = try model(.model([.tensor("x", [2, 3], raw: [1, 2, 3, 4, 5, 6])], nodes: [node]))
    #expect(model.facts.map(\.key) == ["ir_version", "producer_name"])
    let tensor = try #require(model["x"])
    #expect(tensor.dimensions == [2, 3] && tensor.type == .uint8)
    #expect(try model.bytes(of: tensor) == [1, 2, 3, 4, 5, 6])
    #expect(model.nodes[0].input(0) == "x" && model.nodes[0].input(1) == nil && model.nodes[0].input(3) == nil)
    #expect(model.nodes[0].integers == ["axis": -1] && model.nodes[0].domain.isEmpty)
  }

  /// The example of specs/onnx.md.
  @Test func theExampleOfTheSpecification() throws {
    let bytes: [UInt8] = [
      0x08, 0x0A, 0x3A, 0x0F, 0x2A, 0x0D, 0x08, 0x02, 0x08, 0x02, 0x10, 0x16, 0x42, 0x01, 0x77, 0x4A, 0x02, 0x21, 0xFE,
    ]
    let model = try model(ProtobufBytes(bytes: bytes))
    let tensor = try #require(model["w"])
    #expect(tensor.type == .int4 && tensor.dimensions == [2, 2] && model.facts[0].value == "10")
    #expect(try model.bytes(of: tensor) == [0x21, 0xFE])
  }

  /// `int32_data`, packed: -1 takes ten bytes.
  @Test func numbersOneByOne() throws {
    let numbers = ProtobufBytes.varint(.max) + ProtobufBytes.varint(300)
    let message = ProtobufBytes.tensor("n", type: 5, [2]).field(5, numbers)
    let model = try model(.model([message]))
    let tensor = try #require(model["n"])
    #expect(try model.bytes(of: tensor) == [0xFF, 0xFF, 0x2C, 0x01])
  }

  @Test func aConstantIsATensor() throws {
    let attribute = ProtobufBytes().text(1, "value").message(5, .tensor("", [1], raw: [7]))
    let node = ProtobufBytes().text(2, "c").text(4, "Constant").message(5, attribute)
    let model = try model(.model([], nodes: [node]))
    #expect(model.nodes.isEmpty)
    let tensor = try #require(model["c"])
    #expect(try model.bytes(of: tensor) == [7])
  }

  @Test func dataBesideTheModel() throws {
    _ = try write([0, 0, 9, 8, 7], to: "data.bin")
    let entries = [("location", "data.bin"), ("offset", "2"), ("length", "3")]
    let model = try model(.model([.external("e", [3], entries)]))
    let tensor = try #require(model["e"])
    #expect(try model.bytes(of: tensor) == [9, 8, 7])
    #expect(model.files.map(\.name) == ["model.onnx", "data.bin"])
    for entries in [
      [("location", "../data.bin")], [("location", "/etc/passwd")], [("location", "")], [("offset", "0")],
      [("location", "data.bin"), ("offset", "3")], [("location", "data.bin"), ("offset", "-1")],
      [("location", "data.bin"), ("offset", "9223372036854775807")], [("location", "absent.bin")],
    ] {
      guard case .external = reason(.model([.external("e", [3], entries)])) else {
        Issue.record("\(entries) was read")
        continue
      }
    }
    #expect(
      reason(.model([.external("e", [3], [("location", "data.bin"), ("length", "2")])])) == .size(expected: 3, found: 2)
    )
  }

  @Test func whatIsWrong() {
    #expect(reason(ProtobufBytes().number(1, 10)) == .noGraph)
    #expect(reason(ProtobufBytes(bytes: [0x0B])) == .field(tag: 11))
    #expect(reason(ProtobufBytes(bytes: [0x02, 0])) == .field(tag: 2))
    #expect(reason(ProtobufBytes(bytes: [0x3A, 5, 0])) == .truncated)
    #expect(reason(ProtobufBytes(bytes: [0x08] + [UInt8](repeating: 0xFF, count: 11))) == .truncated)
    #expect(reason(.model([.tensor("x", [2], raw: [1])])) == .size(expected: 2, found: 1))
    #expect(reason(.model([.tensor("x", [1], raw: [1]), .tensor("x", [1], raw: [1])])) == .duplicate)
    #expect(reason(.model([.tensor("x", [-1], raw: [])])) == .value("a dimension is negative"))
    #expect(reason(.model([.tensor("x", [1 << 62, 1 << 62], raw: [])])) == .value("its shape overflows"))
    #expect(reason(.model([.tensor("x", type: 99, [1], raw: [1])])) == .value("there is no type 99"))
    #expect(reason(.model([.tensor("x", [Int](repeating: 1, count: 33), raw: [1])])) == .limit("dimensions", 32))
  }

  /// A field that lies across the end of a window is read as any other.
  @Test func acrossTheEndOfAWindow() throws {
    for padding in stride(from: (1 << 16) - 40, to: 1 << 16, by: 5) {
      let tensor = ProtobufBytes.tensor("long name", [3], raw: [7, 8, 9])
      let message = ProtobufBytes().field(9, [UInt8](repeating: 0, count: padding)).message(
        7, ProtobufBytes().message(5, tensor))
      let model = try model(message)
      let found = try #require(model["long name"])
      #expect(try model.bytes(of: found) == [7, 8, 9])
    }
  }

  /// Where a reader stood when a message broke off.
  @Test func offsets() throws {
    for (bytes, offset) in [([0x08], 1), ([0x3A, 5, 0], 2), ([0x08, 1, 0x0B], 3)] as [([UInt8], Int)] {
      let path = try write(bytes, to: "bad.onnx")
      let error = #expect(throws: ONNXError.self) { try ONNXModel(path) }
      #expect(error?.offset == offset && error?.file == path)
    }
  }

  /// Every beginning of a model is either a model or an error.
  @Test func truncatedAnywhere() throws {
    let tensor = ProtobufBytes.tensor("x", [2], raw: [1, 2])
    let whole = ProtobufBytes.model([tensor]).bytes
    for count in 0..<whole.count {
      let path = try write(Array(whole.prefix(count)), to: "cut.onnx")
      #expect(throws: ONNXError.self) { try ONNXModel(path) }
    }
  }
}
