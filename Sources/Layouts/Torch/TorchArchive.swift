import ByteIO

/// A file that `torch.save` wrote: a ZIP archive of a pickle and of the bytes of storages, none of them compressed.
/// The structures are those of PKWARE's APPNOTE 6.3.10.
public struct TorchArchive: Sendable {
  public let file: InputFile
  /// What the pickle describes.
  public let content: PickleValue
  private let entries: [String: Range<Int>]
  private let folder: String

  private static let pickleLimit = 64 << 20
  private static let directoryLimit = 256 << 20

  /// Reads the directory and the pickle; nothing is executed, and no storage is read.
  /// Throws `TorchError` or `IOError`.
  public init(_ path: String) throws {
    let file = try InputFile(path)
    let entries = try Self.directory(of: file)
    guard let name = entries.keys.first(where: { $0 == "data.pkl" || $0.hasSuffix("/data.pkl") }),
      let pickle = entries[name]
    else { throw TorchError(.missing("data.pkl"), file: path) }
    guard pickle.count <= Self.pickleLimit else {
      throw TorchError(.pickle("it has \(pickle.count) bytes"), file: path)
    }
    self.file = file
    self.entries = entries
    folder = String(name.dropLast("data.pkl".count))
    do {
      var reader = PickleReader(try file.bytes(pickle))
      content = try reader.read()
    } catch let reason as TorchReason {
      throw TorchError(reason, file: path)
    }
  }

  /// Where in the file the bytes of a tensor lie. Throws `TorchError` if they aren't there in row-major order.
  public func bytes(of tensor: TorchTensor) throws(TorchError) -> Range<Int> {
    guard let storage = entries["\(folder)data/\(tensor.key)"] else {
      throw TorchError(.missing("data/\(tensor.key)"), file: file.path)
    }
    let size = tensor.dtype.bits / 8
    guard tensor.isContiguous, let count = tensor.count, let start = tensor.offset.multiplied(by: size),
      let length = count.multiplied(by: size), start >= 0, let end = start.adding(length), end <= storage.count
    else { throw TorchError(.value("a tensor of \(tensor.shape) isn't plain bytes of its storage"), file: file.path) }
    return storage.lowerBound + start..<storage.lowerBound + end
  }

  // MARK: - ZIP

  private struct Directory {
    var count: Int
    var start: Int
    var size: Int
  }

  /// The bytes of each entry.
  private static func directory(of file: InputFile) throws -> [String: Range<Int>] {
    func fault(_ text: String) -> TorchError { TorchError(.archive(text), file: file.path) }
    guard let directory = try end(of: file), directory.size <= directoryLimit, directory.count >= 0,
      directory.start >= 0, directory.size >= 0, let upper = directory.start.adding(directory.size), upper <= file.size
    else { throw fault("it has no directory of entries") }
    let bytes = try file.bytes(directory.start..<upper)
    var entries: [String: Range<Int>] = [:]
    var at = 0
    for _ in 0..<directory.count {
      guard at + 46 <= bytes.count, number(bytes, at, 4) == 0x0201_4B50 else { throw fault("its directory ends early") }
      let lengths = [28, 30, 32].map { number(bytes, at + $0, 2) }
      let next = at + 46 + lengths.reduce(0, +)
      guard next <= bytes.count, let name = String(validating: bytes[at + 46..<at + 46 + lengths[0]], as: UTF8.self)
      else { throw fault("its directory ends early") }
      guard number(bytes, at + 10, 2) == 0 else { throw fault("'\(name)' is compressed") }
      let extra = Array(bytes[at + 46 + lengths[0]..<at + 46 + lengths[0] + lengths[1]])
      var fields = [24, 20, 42].map { number(bytes, at + $0, 4) }
      widen(&fields, extra)
      guard fields[0] == fields[1], fields[2] >= 0, let header = fields[2].adding(30), header <= file.size else {
        throw fault("'\(name)' lies outside")
      }
      let local = try file.bytes(fields[2]..<header)
      guard number(local, 0, 4) == 0x0403_4B50,
        let start = header.adding(number(local, 26, 2) + number(local, 28, 2)), fields[1] >= 0,
        let end = start.adding(fields[1]), end <= file.size
      else { throw fault("'\(name)' lies outside") }
      entries[name] = start..<end
      at = next
    }
    return entries
  }

  /// The end of the central directory, or where the archive is a ZIP64 one the larger one before it.
  private static func end(of file: InputFile) throws -> Directory? {
    let tail = try file.bytes(max(0, file.size - 65557)..<file.size)
    guard tail.count >= 22,
      let at = stride(from: tail.count - 22, through: 0, by: -1).first(where: { number(tail, $0, 4) == 0x0605_4B50 })
    else { return nil }
    if at >= 20, number(tail, at - 20, 4) == 0x0706_4B50 {
      let place = number(tail, at - 12, 8)
      guard place >= 0, let end = place.adding(56), end <= file.size else { return nil }
      let record = try file.bytes(place..<end)
      guard number(record, 0, 4) == 0x0606_4B50 else { return nil }
      return Directory(count: number(record, 32, 8), start: number(record, 48, 8), size: number(record, 40, 8))
    }
    return Directory(count: number(tail, at + 10, 2), start: number(tail, at + 16, 4), size: number(tail, at + 12, 4))
  }

  /// Puts the 64-bit numbers of an extra field in the place of those that don't fit: sizes, then the offset.
  private static func widen(_ fields: inout [Int], _ extra: [UInt8]) {
    var at = 0
    while at + 4 <= extra.count {
      let (kind, length) = (number(extra, at, 2), number(extra, at + 2, 2))
      at += 4
      guard kind == 1 else {
        at += length
        continue
      }
      for index in fields.indices where fields[index] == 0xFFFF_FFFF && at + 8 <= extra.count {
        fields[index] = number(extra, at, 8)
        at += 8
      }
      return
    }
  }

  /// A little-endian number of a few bytes that are there; -1 for one past what an `Int` holds.
  private static func number(_ bytes: [UInt8], _ at: Int, _ count: Int) -> Int {
    let value = bytes.littleEndian(at: at, bytes: count)
    return Int(exactly: value) ?? -1
  }
}
