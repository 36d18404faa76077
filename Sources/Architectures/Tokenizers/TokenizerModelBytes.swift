import Protobuf

/// tokenizer.model in memory. Fields of any number are passed over.
struct TokenizerModelBytes: ProtobufSource {
  let bytes: [UInt8]

  var count: Int { bytes.count }
  var largestField: UInt64 { .max }

  func byte(at position: Int) throws(ArchitectureError) -> UInt8 { bytes[position] }

  func fault(_ reason: ProtobufReason, at position: Int) -> ArchitectureError {
    switch reason {
    case .truncated: .tokenizer("tokenizer.model ends within a field")
    case .longNumber: .tokenizer("tokenizer.model has a number of more than 10 bytes")
    case .fieldNumber(let tag): .tokenizer("tokenizer.model has a field \(tag >> 3)")
    case .wireType(let tag):
      .tokenizer("tokenizer.model has a field of type \(tag & 7), which protocol buffers no longer use")
    }
  }
}
