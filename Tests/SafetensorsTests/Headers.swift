import ByteIO
import Safetensors

/// A file: the length, a header, and `data` zeros.
func file(_ header: String, data: Int = 0, length: UInt64? = nil) -> [UInt8] {
  var bytes: [UInt8] = []
  bytes.append(littleEndian: length ?? UInt64(header.utf8.count))
  return bytes + Array(header.utf8) + [UInt8](repeating: 0, count: data)
}

/// The header of one tensor "a": by default one F32.
func header(
  dtype: String = #""F32""#, shape: String = "[1]", offsets: String = "[0,4]", more: String = ""
) -> String {
  #"{"a":{"dtype":\#(dtype),"shape":\#(shape),"data_offsets":\#(offsets)\#(more)}}"#
}

/// Reads a file in memory.
func read(_ bytes: [UInt8], allowDuplicateNames: Bool = false) throws -> SafetensorsHeader {
  try SafetensorsHeader(of: bytes, file: "f", options: SafetensorsOptions(allowDuplicateNames: allowDuplicateNames))
}

/// The reason for which a file is refused, or nil if it is read.
func refusal(_ bytes: [UInt8]) throws -> SafetensorsReason? {
  do {
    _ = try read(bytes)
    return nil
  } catch let error as SafetensorsError {
    return error.reason
  }
}
