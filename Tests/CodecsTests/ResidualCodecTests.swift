import Codecs
import Tensors
import TestSupport
import Testing

@Suite struct ResidualCodecTests {
  @Test func descriptorNamesTheInnerCodec() throws {
    let codec = try CodecRegistry.codec("residual:codec=ternary,group=32")
    #expect("\(codec.descriptor)" == "residual:codec=ternary,group=32,scale=F16,pack=base3")
    #expect("\(try CodecRegistry.codec("\(codec.descriptor)").descriptor)" == "\(codec.descriptor)")
    #expect("\(try CodecRegistry.codec("residual:codec=trellis").descriptor)" == "residual:codec=trellis")
  }

  @Test(arguments: ["residual", "residual:group=32", "residual:codec=residual", "residual:codec=ternary,size=4"])
  func refusesDescriptor(_ text: String) {
    #expect(throws: CodecError.self) { try CodecRegistry.codec(text) }
  }

  @Test func addsTheReference() throws {
    let inner = try TernaryCodec(group: 4, scale: .f32, packing: .bits2)
    let codec = try ResidualCodec(inner)
    let codes: [UInt8] = [0b00_11_00_01, 0b01_00_11_00]
    let scales: [UInt8] = [0, 0, 0, 0x3F, 0, 0, 0x80, 0x3E]
    let reference: [Float] = [1, 2, 3, 4, 0.1, 0.2, 0.3, 0.4]
    var output = [Float](repeating: 0, count: 8)
    try codes.withUnsafeBytes { codes in
      try scales.withUnsafeBytes { scales in
        try output.withUnsafeMutableBufferPointer { out in
          try reference.withUnsafeBufferPointer { reference in
            let span = EncodedSpan(planes: [codes, scales], elements: 8, columns: 4)
            try codec.decode(span, reference: reference, into: out)
            #expect(throws: CodecError.self) { try codec.decode(span, into: out) }
            #expect(throws: CodecError.self) { try codec.decodeReference(span, into: out) }
            #expect(throws: CodecError.self) {
              try codec.decode(span, reference: UnsafeBufferPointer(rebasing: reference[..<7]), into: out)
            }
          }
        }
      }
    }
    let meant: [Float] = [1.5, 2, 2.5, 4, 0.1, reference[5] - 0.25, 0.3, reference[7] + 0.25]
    #expect(output == meant)
  }
}
