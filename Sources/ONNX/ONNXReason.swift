import ByteIO

/// What keeps an ONNX model from being read (specs/onnx.md).
public enum ONNXReason: FaultReason {
  /// A message ends within a field, or a number takes more than ten bytes.
  case truncated
  /// A kind of field that protocol buffers no longer have, or a field number that can't be.
  case field(tag: UInt64)
  /// The file isn't a model: it has no graph.
  case noGraph
  /// More of something than a reader allocates for.
  case limit(String, Int)
  /// Two tensors of one name.
  case duplicate
  /// A shape that can't be counted, or an element type that doesn't exist.
  case value(String)
  /// The bytes of a tensor are not as many as its type and shape take.
  case size(expected: Int, found: Int)
  /// Where the bytes of a tensor should lie isn't in the model's directory, or isn't there.
  case external(String)
  /// Two tensors share bytes of a file.
  case overlap(String)

  public var description: String {
    switch self {
    case .truncated: "a message ends within a field"
    case .field(let tag): "the tag \(tag) is no field of a message"
    case .noGraph: "it holds no graph"
    case .limit(let what, let count): "more than \(count) \(what)"
    case .duplicate: "the name stands for two tensors"
    case .value(let text): text
    case .size(let expected, let found): "expected \(expected) bytes, found \(found)"
    case .external(let text): "external data: \(text)"
    case .overlap(let other): "it shares bytes with '\(other)'"
    }
  }
}

public typealias ONNXError = Fault<ONNXReason>
