import Protobuf

/// A message in memory; its errors say what is wrong, and where.
struct MemoryMessage: ProtobufSource {
  struct Failure: Error, Equatable {
    var reason: ProtobufReason
    var position: Int
  }

  var bytes: [UInt8]
  var largestField: UInt64 = 1 << 29 - 1

  var count: Int { bytes.count }

  func byte(at position: Int) throws(Failure) -> UInt8 { bytes[position] }

  func fault(_ reason: ProtobufReason, at position: Int) -> Failure { Failure(reason: reason, position: position) }
}
