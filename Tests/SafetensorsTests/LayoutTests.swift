import Safetensors
import Testing

/// The checks of lengths, offsets and sizes, by the names of the Rust library's own tests where it has one.
struct LayoutTests {
  @Test func headerTooSmall() throws {
    for count in 0..<8 {
      #expect(try refusal([UInt8](repeating: 0, count: count)) == .headerTooSmall(fileSize: count))
    }
  }

  @Test func headerTooLarge() throws {
    #expect(try refusal(file("", length: 0xFFFF_FF00_0000_003C)) == .headerTooLarge(length: 0xFFFF_FF00_0000_003C))
    #expect(try refusal(file("", length: 100_000_001)) == .headerTooLarge(length: 100_000_001))
  }

  @Test func invalidHeaderLength() throws {
    #expect(try refusal(file("", length: 1)) == .invalidHeaderLength(length: 1, fileSize: 8))
    #expect(try refusal(file("", length: 100_000_000)) == .invalidHeaderLength(length: 100_000_000, fileSize: 8))
  }

  @Test func jsonAttack() throws {
    let tensors = (0..<10).map { #""weight_\#($0)":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}"# }
    #expect(
      try refusal(file("{\(tensors.joined(separator: ","))}", data: 16))
        == .invalidOffset(expectedBegin: 16, begin: 0, end: 16))
  }

  @Test func offsets() throws {
    #expect(
      try refusal(file(header(offsets: "[1,5]"), data: 5)) == .invalidOffset(expectedBegin: 0, begin: 1, end: 5))
    #expect(
      try refusal(file(header(offsets: "[0,18446744073709551615]"), data: 4))
        == .tensorInvalidInfo(expected: 4, found: .max))
    #expect(
      try refusal(file(#"{"a":["U8",[4],[0,4]],"b":["U8",[0],[4,3]]}"#, data: 4))
        == .invalidOffset(expectedBegin: 4, begin: 4, end: 3))
  }

  @Test func metadataIncompleteBuffer() throws {
    let header = header()
    let size = 8 + header.utf8.count
    for data in [0, 2, 3, 5, 1000] {
      #expect(
        try refusal(file(header, data: data))
          == .metadataIncompleteBuffer(expected: UInt64(size + 4), fileSize: size + data))
    }
  }

  @Test func zeroSizedTensor() throws {
    #expect(try read(file(header(shape: "[2,0]", offsets: "[0,0]")))["a"]?.shape.dimensions == [2, 0])
  }

  @Test func invalidInfo() throws {
    #expect(
      try refusal(file(header(dtype: #""I32""#, shape: "[2,2]"), data: 4)) == .tensorInvalidInfo(expected: 16, found: 4)
    )
  }

  @Test func validationOverflow() throws {
    for shape: [UInt64] in [[2, .max - 1], [2, 1 << 63 - 1], [1 << 32, 1 << 32, 0]] {
      let text = shape.map(String.init).joined(separator: ",")
      #expect(
        try refusal(file(header(shape: "[\(text)]"), data: 4)) == .validationOverflow(dimensions: shape, dtype: .f32))
    }
    #expect(try refusal(file(header(shape: "[0,4294967296,4294967296]", offsets: "[0,0]"))) == nil)
  }

  @Test func shapeOutOfRange() throws {
    // The library reads these: the product fits 64 bits. `Shape` is signed.
    for shape: [UInt64] in [[1 << 63, 0], [0, .max]] {
      let text = shape.map(String.init).joined(separator: ",")
      #expect(
        try refusal(file(header(shape: "[\(text)]", offsets: "[0,0]"))) == .shapeOutOfRange(dimensions: shape))
    }
  }

  @Test(arguments: ["F4", "F6_E2M3", "F6_E3M2"]) func subByteTypesEndOnAByte(_ dtype: String) throws {
    let bits = dtype == "F4" ? 4 : 6
    for count in 0..<9 {
      let size = count * bits / 8
      let bytes = file(header(dtype: "\"\(dtype)\"", shape: "[1,\(count)]", offsets: "[0,\(size)]"), data: size)
      let found = try refusal(bytes)
      if count * bits % 8 == 0 {
        #expect(found == nil)
      } else if case .misalignedSlice(let dimensions, _) = found {
        #expect(dimensions == [1, UInt64(count)])
      } else {
        Issue.record("expected misalignedSlice, found \(String(describing: found))")
      }
    }
  }

  @Test func dataOrderIsThatOfTheOffsets() throws {
    let header = try read(
      file(#"{"a":["U8",[2],[1,3]],"b":["U8",[0],[1,1]],"c":["U8",[],[0,1]],"d":["U8",[0],[3,3]]}"#, data: 3))
    #expect(header.tensors.map(\.name) == ["a", "b", "c", "d"])
    #expect(header.dataOrder == [2, 1, 0, 3])
    #expect(header.fileSize == header.headerRange.upperBound + 3)
  }

  @Test func errorsSayWhere() throws {
    let error = #expect(throws: SafetensorsError.self) { try read(file(header(shape: "[-1]"), data: 4)) }
    #expect(error?.tensor == "a")
    #expect(error?.offset == 37)
    #expect(
      error?.description
        == "f at byte 37, tensor 'a': invalid header: expected an unsigned integer of 64 bits, found -1")
  }
}
