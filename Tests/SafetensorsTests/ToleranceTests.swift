import Safetensors
import Testing

/// What the Rust library 0.8.0 lets pass and what it refuses, each case tried on its `deserialize`.
struct ToleranceTests {
  /// Headers of one tensor "a" of four bytes.
  static let accepted = [
    header(), " \t\r\n" + header(), header() + " \r\t\n",
    header(more: #","x":[1e5,-0,-0.0,1E+5,0e999,1e-999]"#), header(more: #","x":{"a":1,"a":2},"x":true"#),
    header(more: #","x":"\/\u0000\ud83d\ude00"# + "\u{7F}\""),
    header(more: ",\"x\":" + String(repeating: "1", count: 30)),
    header(more: ",\"x\":" + String(repeating: "1", count: 309)),
    header(more: ",\"x\":" + String(repeating: "[", count: 125) + String(repeating: "]", count: 125)),
    header(dtype: #"{"F32":null}"#), header(dtype: #"{"\u004632":null}"#), header(dtype: #""\u0046\u00332""#),
    header(shape: "[]"), header(shape: "[1,1,1]"), header(shape: " [ 1 ] "),
    #"{"a":["F32",[1],[0,4]]}"#, #"{"a":[{"F32":null},[1],[0,4]]}"#, #"{"\u0061":["F32",[1],[0,4]]}"#,
    #"{"__metadata__":null,"a":["F32",[1],[0,4]]}"#, #"{"a":["F32",[1],[0,4]],"__metadata__":{}}"#,
    #"{"\u005f_metadata__":{"a":"b"},"a":["F32",[1],[0,4]]}"#,
    #"{"__metadata__":{"a":"b","a":"c"},"a":["F32",[],[0,4]]}"#,
    #"{"z":["U8",[0],[4,4]],"a":["F32",[1],[0,4]],"y":["U8",[2,0],[0,0]]}"#,
  ]

  @Test(arguments: accepted) func accepts(_ header: String) throws {
    let tensor = try #require(try read(file(header, data: 4))["a"])
    #expect(tensor.dtype == .f32)
    #expect(tensor.shape.elements == 1)
    #expect(tensor.bytes == 8 + header.utf8.count..<12 + header.utf8.count)
  }

  static let refused = [
    "", "{", "{}x", "{},", "{}\0", "{}\u{C}", "\u{FEFF}{}", "{}{}", "[]", "null", #""a""#, "[null]", "\0{}",
    header(more: ","), header(more: ",1"), header(more: "/**/"), header(more: #","x""#), header(more: #","x":"#),
    header(more: #","x":1e999"#), header(more: #","x":-1e999"#),
    header(more: ",\"x\":" + String(repeating: "9", count: 309)),
    header(more: #","x":1."#), header(more: #","x":.5"#), header(more: #","x":01"#), header(more: #","x":-"#),
    header(more: #","x":1e"#), header(more: #","x":1e+"#), header(more: #","x":+1"#), header(more: #","x":nul"#),
    header(more: #","x":True"#), header(more: #","x":NaN"#), header(more: #","x":[1,]"#),
    header(more: #","x":{"a":1,}"#),
    header(more: #","x":{1:1}"#), header(more: #","x":'a'"#), header(more: #","x":"\ud800""#),
    header(more: #","x":"\udc00""#), header(more: #","x":"\ud83dx""#), header(more: #","x":"\ud83d\u0041""#),
    header(more: #","x":"\x""#), header(more: #","x":"\u12g4""#), header(more: ",\"x\":\"\u{1F}\""),
    header(more: ",\"x\":" + String(repeating: "[", count: 126) + String(repeating: "]", count: 126)),
    header(more: #","dtype":"F32""#), header(more: #","shape":[1]"#), header(more: #","data_offsets":[0,4]"#),
    header(more: #","d\u0074ype":"F32""#),
    header(dtype: #"{"F32":{}}"#), header(dtype: #"{"F32":null,"F16":null}"#), header(dtype: "{}"),
    header(dtype: "17"), header(dtype: #"["F32"]"#), header(dtype: "null"), header(dtype: #"" F32""#),
    header(dtype: #""f32""#), header(dtype: #""F8_E4M3FN""#),
    header(shape: "{}"), header(shape: "null"), header(shape: #""1""#), header(shape: #"["1"]"#),
    header(shape: "[1.0]"), header(shape: "[1e0]"), header(shape: "[-1]"), header(shape: "[-0]"),
    header(shape: "[+1]"), header(shape: "[01]"), header(shape: "[null]"), header(shape: "[[1]]"),
    header(shape: "[18446744073709551616]"),
    header(offsets: "[0]"), header(offsets: "[0,4,5]"), header(offsets: "[]"), header(offsets: "{}"),
    header(offsets: "[-0,4]"), header(offsets: "[0,4.0]"), header(offsets: #"["0",4]"#),
    #"{"a":["F32",[1],[0,4],1]}"#, #"{"a":["F32",[1]]}"#, #"{"a":[]}"#, #"{"a":{}}"#, #"{"a":null}"#, #"{"a":1}"#,
    #"{"a":[[1],"F32",[0,4]]}"#, #"{"a":{"dtype":"F32","shape":[1]}}"#,
    #"{"__metadata__":[]}"#, #"{"__metadata__":""}"#, #"{"__metadata__":{"a":null}}"#, #"{"__metadata__":{"a":1}}"#,
    #"{"__metadata__":{"a":{}}}"#, #"{"__metadata__":null,"__metadata__":{}}"#,
    #"{"__metadata__":{},"__metadata__":{}}"#,
  ]

  @Test(arguments: refused) func refuses(_ header: String) throws {
    guard case .invalidHeaderDeserialization = try refusal(file(header, data: 4)) else {
      Issue.record("expected invalidHeaderDeserialization")
      return
    }
  }

  static let notUTF8: [[UInt8]] = [
    [0xFF], [0x80], [0xC0, 0x80], [0xC3], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF8],
  ]

  @Test(arguments: notUTF8) func refusesWhatIsNotUTF8(_ bytes: [UInt8]) throws {
    let json = Array(#"{"a"#.utf8) + bytes + Array(#"":["U8",[0],[0,0]]}"#.utf8)
    #expect(try refusal([UInt8(json.count), 0, 0, 0, 0, 0, 0, 0] + json) == .invalidHeader)
  }

  @Test(arguments: ["", #"\u0000"#, "é", #"\ud83d\ude00"#, "\u{7F}", "/"]) func takesAnyName(_ name: String) throws {
    #expect(try read(file(#"{"\#(name)":["BOOL",[2],[0,2]]}"#, data: 2)).tensors.count == 1)
  }

  @Test func refusesDuplicateNamesUnlessTold() throws {
    let bytes = file(#"{"a":["F64",[7],[3,1]],"b":["U8",[],[4,5]],"\u0061":["F32",[1],[0,4]]}"#, data: 5)
    #expect(try refusal(bytes) == .duplicateName)
    let header = try read(bytes, allowDuplicateNames: true)
    #expect(header.tensors.map(\.name) == ["a", "b"])
    #expect(header["a"]?.dtype == .f32)
  }

  @Test func keepsNamesThatDifferOnlyInNormalForm() throws {
    let header = try read(file(#"{"\u00e9":["U8",[],[0,1]],"e\u0301":["I8",[],[1,2]]}"#, data: 2))
    #expect(header["\u{E9}"]?.dtype == .u8)
    #expect(header["e\u{301}"]?.dtype == .i8)
  }

  @Test func takesTheLastOfAMetadataKey() throws {
    let header = try read(file(#"{"__metadata__":{"a":"1","b":"2","a":"3"}}"#))
    #expect(header.metadata == [.init("a", "3"), .init("b", "2")])
    #expect(try read(file(#"{"__metadata__":null}"#)).metadata == nil)
    #expect(try read(file(#"{"__metadata__":{}}"#)).metadata == [])
  }
}
