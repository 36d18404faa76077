import ByteIO
import Codecs

/// A tensor whose values or codes an encoding refuses.
public struct TensorError: BadFileError, Equatable {
  public var tensor: String
  public var file: String
  public var error: CodecError

  public init(tensor: String, file: String, error: CodecError) {
    self.tensor = tensor
    self.file = file
    self.error = error
  }

  public var description: String { "\(file), tensor '\(tensor)': \(error)" }
}
