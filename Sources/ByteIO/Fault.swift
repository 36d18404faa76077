/// What a reader found wrong, without the place: each format has one enum of these, one case a row of its error table.
public protocol FaultReason: Sendable, Equatable, CustomStringConvertible {}

/// A typed error about the content of a file: the file, the tensor and the byte offset where known, and the reason,
/// which says what was expected and what was found.
public struct Fault<Reason: FaultReason>: Error, Equatable, CustomStringConvertible {
  /// Path of the file, as the caller named it.
  public var file: String
  /// Name of the tensor concerned, if one is.
  public var tensor: String?
  /// Byte offset in the file at which the reader stood, if it has one.
  public var offset: Int?
  public var reason: Reason

  public init(_ reason: Reason, file: String, tensor: String? = nil, offset: Int? = nil) {
    self.reason = reason
    self.file = file
    self.tensor = tensor
    self.offset = offset
  }

  public var description: String {
    var place = file
    if let offset { place += " at byte \(offset)" }
    if let tensor { place += ", tensor '\(tensor)'" }
    return "\(place): \(reason)"
  }
}

/// A fault of the bytes in a file, whatever the format: the file is bad (as opposed to: could not be read).
public protocol BadFileError: Error, CustomStringConvertible {}

extension Fault: BadFileError {}

/// A system call that failed.
public struct IOError: Error, Equatable, CustomStringConvertible {
  public var operation: String
  public var path: String
  public var code: Int32

  public init(_ operation: String, path: String, code: Int32) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  public var description: String {
    "\(path): could not \(operation): \(String(cString: strerror(code)))"
  }
}

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif
