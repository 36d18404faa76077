import ByteIO
import Codecs

/// A run of bytes of a checkpoint's file: what the file is made of, end to end.
public enum SourceSegment: Sendable, Hashable {
  /// Bytes that belong to no tensor: a header, padding that isn't zero, all of a file without tensors.
  case literal(Range<Int>)
  /// A range of the bytes of a tensor's stored form, its planes one after the other.
  case tensor(Int, Range<Int>)
  /// A range of bytes that an arrangement, named by its text, makes of one of a tensor's planes.
  case layout(String, tensor: Int, Range<Int>)
  /// The same with the bytes of each number the other way round.
  case swapped(Int, Range<Int>)
  /// That many zeros.
  case zeros(Int)

  public var count: Int {
    switch self {
    case .literal(let range), .tensor(_, let range), .swapped(_, let range), .layout(_, _, let range): range.count
    case .zeros(let count): count
    }
  }
}

extension FileCheckpoint {
  /// The bytes of a file in order: tensors where tensors lie, and what is between them.
  public func segments(of file: CheckpointFile) throws -> [SourceSegment] {
    guard file.holdsTensors, let index = tensorFiles.firstIndex(where: { $0.name.utf8.elementsEqual(file.name.utf8) })
    else {
      return file.size == 0 ? [] : [.literal(0..<file.size)]
    }
    var segments: [SourceSegment] = []
    var end = 0
    for (range, segment) in stored(in: index) {
      segments += try gap(end..<range.lowerBound, in: tensorFiles[index].file)
      segments.append(segment)
      end = range.upperBound
    }
    return try segments + gap(end..<file.size, in: tensorFiles[index].file)
  }

  /// The planes that lie in a file, in the order of the file.
  private func stored(in file: Int) -> [(Range<Int>, SourceSegment)] {
    var result: [(Range<Int>, SourceSegment)] = []
    for (tensor, planes) in locations.enumerated() {
      var start = 0
      for plane in planes {
        if plane.file == file, !plane.range.isEmpty {
          result.append((plane.range, .tensor(tensor, start..<start + plane.range.count)))
        }
        start += plane.range.count
      }
    }
    return result.sorted { $0.0.lowerBound < $1.0.lowerBound }
  }

  /// What lies between tensors: zeros are told apart, as they need no room.
  private func gap(_ range: Range<Int>, in file: InputFile) throws -> [SourceSegment] {
    if range.isEmpty { return [] }
    let isZero = try range.lowerBound > 0 && file.bytes(range).allSatisfy { $0 == 0 }
    return [isZero ? .zeros(range.count) : .literal(range)]
  }

  public func read(_ range: Range<Int>, of file: CheckpointFile) throws -> [UInt8] {
    try open(file).bytes(range)
  }

  public func open(_ file: CheckpointFile) throws -> InputFile {
    if let found = tensorFiles.first(where: { $0.name.utf8.elementsEqual(file.name.utf8) }) { return found.file }
    return try InputFile(Path.join(directory, file.name))
  }

  public var skipped: [String] { [] }

  public var storage: [(path: String, size: Int)] { files.map { (Path.join(directory, $0.name), $0.size) } }

  public func sha256(of file: CheckpointFile) throws -> [UInt8]? { nil }
}
